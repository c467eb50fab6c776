/** A thread that does not return to its event loop: it computes, or blocks, inside a section or outside of any. */
import { parentPort, workerData } from "node:worker_threads";
import { type HeapToken, SharedHeap } from "sharedheap";

export interface Job {
  readonly token: HeapToken;
  readonly where: "outside" | "rcu" | "trace";
  readonly how: "computing" | "blocked";
  /** Objects of 56 bytes that it frees first, with freeRcu and free in turn. */
  readonly frees: number;
  /** [0]: 1 to end the section, 2 to end the thread. */
  readonly gate: Int32Array;
}

const { token, where, how, frees, gate } = workerData as Job;

/** Returns once the gate says so. */
function stay(until: number): void {
  for (let at = Atomics.load(gate, 0); at < until; at = Atomics.load(gate, 0)) {
    if (how === "blocked") Atomics.wait(gate, 0, at, 60_000);
  }
}

const heap = SharedHeap.attach(token, { name: where });
const pool = heap.memCache({ name: "fixed", size: 56 });
const objects = Array.from({ length: frees }, () => pool.alloc());
objects.forEach((p, i) => {
  if (i % 2 === 0) pool.freeRcu(p);
  else pool.free(p);
});
if (where === "rcu") heap.rcu.readLock();
const section = where === "trace" ? heap.rcu.tasksTrace.enter() : undefined;
parentPort?.postMessage("ready");
stay(1);
if (where === "rcu") heap.rcu.readUnlock();
section?.exit();
stay(2);
heap.detach();
