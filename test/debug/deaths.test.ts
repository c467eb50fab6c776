/** Threads that die in debug heaps: what they had in hand is found by an audit, and is no damage. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { SharedHeap } from "sharedheap";
import { MemAlloc, MemCache } from "#src/memalloc/index.js";
import { debugCpus } from "./support.ts";

const WORKER = new URL("./dying-worker.js", import.meta.url);
const DEATHS = 8;

/** What release mode hands out, before debug mode has done its part. */
const TAKEN: readonly [string, (heap: SharedHeap) => number][] = [
  ["MemCache", (heap) => MemCache.prototype.alloc.call(heap.memCache({ name: "fixed", size: 64 }))],
  ["MemAlloc", (heap) => MemAlloc.prototype.alloc.call(heap.memAlloc({ name: "any" }), 64)],
];

class Death extends Error {}

/** Ends `call` instead of its next atomic store but `stores`. True if there were not so many. */
function diesAfter(stores: number, call: () => void): boolean {
  const { store } = Atomics;
  let left = stores;
  // the library calls it by this property
  Atomics.store = ((words: Int32Array, at: number, value: number) => {
    if (left-- === 0) throw new Death();
    return store(words, at, value);
  }) as typeof store;
  try {
    call();
    return true;
  } catch (error) {
    assert.ok(error instanceof Death, String(error));
    return false;
  } finally {
    Atomics.store = store;
  }
}

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

for (const isUsed of [false, true]) {
  test(`dead at any atomic store of an alloc, ${isUsed ? "used before" : "new"}: the object was in hand, and is no damage`, () => {
    const [heap] = debugCpus(1, { maxCpus: 2 });
    let stores = 0;
    for (let isThrough = false; !isThrough; stores++) {
      const victim = SharedHeap.attach(heap.token, { turns: false });
      const pool = victim.memCache({ name: "fixed", size: 64 });
      if (isUsed) for (const p of Array.from({ length: 3000 }, () => pool.alloc())) pool.free(p);
      isThrough = diesAfter(stores, () => pool.alloc());
      heap.reap(victim.cpu, { surelyGone: true });
      heap.audit();
      assert.deepEqual(heap.verify(), [], `after ${stores} stores`);
      heap.poll();
    }
    assert.ok(stores > 8, `${stores} stores`);
  });
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
