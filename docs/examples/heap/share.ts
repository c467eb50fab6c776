/** Two threads share a heap: one allocates and names an object, the other reads and frees it. */
import assert from "node:assert/strict";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { SharedHeap } from "sharedheap";

function main(): void {
  const heap = SharedHeap.create({ bytes: 16 * 2 ** 20, maxCpus: 2 });
  const notes = heap.memAlloc({ name: "notes" });
  const p = notes.alloc(100);
  heap.u32[p >>> 2] = 42;
  heap.roots.set("note", p);

  const worker = new Worker(new URL(import.meta.url), { workerData: heap.token });
  worker.once("exit", () => {
    assert.equal(heap.roots.get("note"), 0);
    assert.deepEqual(heap.verify(), []);
    heap.detach();
  });
}

function other(): void {
  const heap = SharedHeap.attach(workerData, { name: "reader" });
  const p = heap.roots.get("note");
  assert.equal(heap.u32[p >>> 2], 42);
  heap.roots.set("note", 0);
  heap.memAlloc({ name: "notes" }).free(p);
  heap.detach();
}

if (isMainThread) main();
else other();
