/** Threads that die in debug heaps: what they had in hand is found by an audit, and is no damage. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { SharedHeap } from "sharedheap";
import { MemAlloc, MemCache } from "#src/memalloc/index.js";
import { debugCpus } from "./support.ts";

const WORKER = new URL("./dying-worker.js", import.meta.url);
const DEATHS = 8;

/** What release mode hands out, before debug mode has done its part. */
const TAKEN: readonly [string, (heap: SharedHeap) => number][] = [
  ["MemCache", (heap) => MemCache.prototype.alloc.call(heap.memCache({ name: "fixed", size: 64 }))],
  ["MemAlloc", (heap) => MemAlloc.prototype.alloc.call(heap.memAlloc({ name: "any" }), 64)],
];

for (const [name, take] of TAKEN) {
  for (const isUsed of [false, true]) {
    test(`${name}: ${isUsed ? "used before" : "new"}, and in hand when the thread died`, () => {
      const [heap, victim] = debugCpus(2);
      const pool =
        name === "MemCache" ? victim.memCache({ name: "fixed", size: 64 }) : victim.memAlloc({ name: "any" });
      if (isUsed) for (const p of Array.from({ length: 600 }, () => pool.alloc(64))) pool.free(p);
      assert.notEqual(take(victim), 0);
      heap.reap(victim.cpu, { surelyGone: true });
      assert.deepEqual(heap.verify(), []);
      assert.equal(heap.audit().inHand.length, 1);
      assert.ok(heap.audit().isClean);
      assert.deepEqual(heap.leaks(), []);
      assert.deepEqual(heap.verify(), []);
    });
  }
}

test("terminated at any moment of allocs and frees: nothing is damaged, nothing is lost", {
  timeout: 120_000,
}, async () => {
  const [heap] = debugCpus(1, { maxCpus: 2 });
  for (let death = 0; death < DEATHS; death++) {
    const worker = new Worker(WORKER, { workerData: heap.token });
    await once(worker, "message");
    await pause(death * 3);
    await worker.terminate();
    heap.reap(1, { surelyGone: true });
    heap.audit();
    assert.deepEqual(heap.verify(), [], `death ${death}`);
    // what its program had: no more than the one object of each loop
    assert.ok(heap.leaks().every(({ objects }) => objects <= death + 1));
  }
});
