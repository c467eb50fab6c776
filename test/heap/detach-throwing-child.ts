/** A program whose destructor throws while it detaches: what it prints is the test. */
import { SharedHeap } from "sharedheap";

process.on("uncaughtException", (error) => console.log(`uncaught: ${error.message}`));

const heap = SharedHeap.create({ bytes: 4 * 2 ** 20, maxCpus: 2, turns: false });
const other = SharedHeap.attach(heap.token, { turns: false });
let left = 2;
const destroy = () => {
  if (left-- > 0) throw new RangeError("thrown in a destructor");
};
for (const each of [heap, other]) each.destructor("throws", destroy);
const pool = other.memCache({ name: "pool", size: 64, dtor: "throws" });
for (const p of Array.from({ length: 200 }, () => pool.alloc())) pool.free(p);
other.detach();
console.log(heap.cpus()[1].state);
for (let i = 0; i < 5; i++) heap.poll();
if (heap.leaks().length > 0) console.log(heap.leaks());
heap.checkInvariants();
console.log("end of main");
