/** A program whose destructor throws while it reaps: what it prints is the test. */
import { SharedHeap } from "sharedheap";

process.on("uncaughtException", (error) => console.log(`uncaught: ${error.message}`));

const heap = SharedHeap.create({ bytes: 4 * 2 ** 20, maxCpus: 2, turns: false });
const victim = SharedHeap.attach(heap.token, { turns: false });
let left = 2;
heap.destructor("throws", () => {
  if (left-- > 0) throw new RangeError("thrown in a destructor");
});
const pool = victim.memCache({ name: "pool", size: 64, dtor: "throws" });
const objects = Array.from({ length: 200 }, () => pool.alloc());
for (const p of objects) pool.free(p);
console.log(heap.reap(1, { surelyGone: true }), heap.cpus()[1].state);
heap.checkInvariants();
console.log("end of main");
