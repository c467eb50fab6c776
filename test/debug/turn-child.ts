/** A write to memory after it was freed, found by an alloc: a turn of the event loop tells. */
import { SharedHeap } from "sharedheap";

const heap = SharedHeap.create({ bytes: 2 ** 20, maxCpus: 1, debug: true });
const pool = heap.memCache({ name: "fixed", size: 61 });
const p = pool.alloc();
pool.free(p);
// it leaves quarantine
for (let i = 0; i < 600; i++) heap.kfree(heap.kmalloc(8));
heap.u8[p + 60] = 1;
for (let other = 0; other !== p; ) other = pool.alloc();
setTimeout(() => console.error("nobody told"), 2000);
