/** A program whose end is the test: argv[2] says what is pending when nothing else keeps it alive. */
import { SharedHeap } from "sharedheap";

const heap = SharedHeap.create({ bytes: 2 ** 20, maxCpus: 2 });
const reader = SharedHeap.attach(heap.token);
const pool = heap.memCache({ name: "fixed", size: 56 });

const cases: Record<string, () => void> = {
  nothing: () => {},
  call: () => {
    reader.rcu.readLock();
    heap.rcu.call(() => console.log("it ran"));
  },
  synchronize: () => {
    reader.rcu.tasksTrace.enter();
    void heap.rcu.tasksTrace.synchronize().then(() => console.log("it resolved"));
  },
  barrier: () => {
    reader.rcu.readLock();
    heap.rcu.call(() => {});
    void heap.rcu.barrier().then(() => console.log("it resolved"));
  },
  freeRcu: () => {
    reader.rcu.readLock();
    for (let i = 0; i < 200; i++) pool.freeRcu(pool.alloc());
  },
};
cases[process.argv[2]]();
console.log("end of main");
