/** Prints, as JSON, by how many bytes of resident memory this process grows when it makes a heap of argv[2] bytes; argv[3]: preTouch. */
import { SharedHeap } from "sharedheap";

SharedHeap.create({ bytes: 1024 * 1024 }).malloc(10);
globalThis.gc?.();
const before = process.memoryUsage.rss();
const heap = SharedHeap.create({ bytes: Number(process.argv[2]), preTouch: process.argv[3] === "preTouch" });
const created = process.memoryUsage.rss() - before;
const p = heap.malloc(64);
const used = process.memoryUsage.rss() - before;
// the control: memory that is written to
const block = heap.kmalloc(32 * 1024 * 1024);
heap.u8.fill(1, block, block + 32 * 1024 * 1024);
const filled = process.memoryUsage.rss() - before;
console.log(JSON.stringify({ created, used, filled, ok: p !== 0 && block !== 0 }));
