/** A thread of deaths.test.ts: allocates and frees until it is ended. */
import { parentPort, workerData } from "node:worker_threads";
import { SharedHeap } from "sharedheap";

const heap = SharedHeap.attach(workerData, { turns: false });
const fixed = heap.memCache({ name: "fixed", size: 64 });
const any = heap.memAlloc({ name: "any" });
parentPort?.postMessage("begins");
for (let i = 0; ; i++) {
  if (i % 2 === 0) fixed.free(fixed.alloc());
  else any.freeRcu(any.alloc(i % 500));
}
