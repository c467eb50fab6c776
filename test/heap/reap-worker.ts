/** A thread of reap.test.ts and unwatched.test.ts: attaches, allocates and frees for ever, or ends as it is told. */
import { parentPort, workerData } from "node:worker_threads";
import { type HeapToken, SharedHeap } from "sharedheap";

const { token, kind } = workerData as { token: HeapToken; kind: string };
const heap = SharedHeap.attach(token, { name: "victim" });
const pool = heap.memAlloc({ name: "objects" });
if (kind === "reads") heap.rcu.readLock();
parentPort?.postMessage("attached");
if (kind === "detaches") heap.detach();
if (kind === "throws") throw new Error("as it was told");
if (kind === "exits") process.exit(3);
while (kind === "terminated") {
  const objects = Array.from({ length: 100 }, (_, i) => pool.alloc(1 + ((i * 97) % 4000)));
  for (const p of objects) pool.freeRcu(p);
}
while (kind === "reads");
