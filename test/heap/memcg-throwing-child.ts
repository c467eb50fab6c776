/** A program whose handler of a full group throws: what it prints is the test. */
import { SharedHeap } from "sharedheap";

process.on("uncaughtException", (error) => console.log(`uncaught: ${error.message}`));

const heap = SharedHeap.create({ bytes: 4 * 2 ** 20, maxCpus: 1, turns: false });
const group = heap.memcg({ name: "group", max: 64 * 1024 });
const pool = heap.memCache({ name: "pool", size: 1000, memcg: group });
const off = group.onMax(() => {
  off();
  throw new RangeError("thrown in onMax");
});
while (pool.alloc() !== 0);
heap.checkInvariants();
console.log("NULL\nend of main");
