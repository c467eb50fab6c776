/** A thread that dies while nobody watches: what the others are told, and what helps. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { SharedHeap } from "sharedheap";
import { settle } from "../memalloc/heaps.ts";

test("stalls name its CPU, attach lists it; once it is reaped both go on", { timeout: 60_000 }, async () => {
  const heap = SharedHeap.create({ bytes: 8 * 2 ** 20, maxCpus: 2, name: "main", turns: false });
  const worker = new Worker(new URL("./reap-worker.js", import.meta.url), {
    workerData: { token: heap.token, kind: "reads" },
  });
  await new Promise((resolve) => worker.once("message", resolve));
  await worker.terminate();
  let hasEnded = false;
  void heap.rcu.synchronize().then(() => {
    hasEnded = true;
  });
  settle(heap);
  const { blockedBy, readers } = heap.stats().rcu;
  assert.deepEqual(
    blockedBy.map(({ flavour, cpu, name }) => [flavour, cpu, name]),
    [["rcu", 1, "victim"]],
  );
  assert.deepEqual(readers, [{ cpu: 1, name: "victim", rcu: true, tasksTrace: 0 }]);
  assert.throws(() => SharedHeap.attach(heap.token), /all 2 CPUs.*CPU 0 main; CPU 1 victim.*reap\(\)/);
  assert.equal(heap.reap(1, { surelyGone: true }), true);
  settle(heap);
  await Promise.resolve();
  assert.equal(hasEnded, true);
  assert.deepEqual(heap.stats().rcu.blockedBy, []);
  SharedHeap.attach(heap.token, { turns: false }).detach();
  heap.checkInvariants();
  heap.detach();
});
