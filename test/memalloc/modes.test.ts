/** When a CPU's deferred work runs: `irqWork: "turn"` and `"kthread"`. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { SharedHeap } from "sharedheap";
import { allocMany, booksOf, cacheFor, exhaust, freeAll, MIB, oneCpu, stockOf, throwsCode } from "./heaps.ts";
import type { KthreadJob, KthreadTally } from "./kthread-worker.ts";

const SIZE = 64;

/** A CPU in mode kthread, and the one that helps it; both have the allocator open. */
function helped() {
  const helper = SharedHeap.create({ bytes: 4 * MIB, maxCpus: 3, turns: false });
  const heap = SharedHeap.attach(helper.token, { turns: false, irqWork: "kthread" });
  const pool = heap.memCache({ name: "fixed", size: SIZE });
  return { helper, heap, pool, cache: cacheFor(heap, pool, SIZE) };
}

test("in mode turn nothing is refilled before a poll, and NULL is still none", () => {
  const heap = oneCpu({ irqWork: "turn" });
  const pool = heap.memCache({ name: "fixed", size: SIZE });
  const cache = cacheFor(heap, pool, SIZE);
  const stock = stockOf(heap, cache);
  const objects = allocMany(pool, SIZE, stock);
  assert.equal(booksOf(heap, "fixed").refills, 0);
  objects.push(...allocMany(pool, SIZE, 300));
  assert.ok(booksOf(heap, "fixed").refills > 0, "an empty list is refilled at once");
  freeAll(pool, objects);
  assert.ok(stockOf(heap, cache) <= 96, "a trim takes no time");
  heap.checkInvariants();
  heap.poll();
  heap.checkInvariants();
});

test("in mode turn a turn of the event loop does the work", async () => {
  const heap = oneCpu({ irqWork: "turn", turns: true });
  const pool = heap.memCache({ name: "fixed", size: SIZE });
  pool.alloc();
  const before = stockOf(heap, cacheFor(heap, pool, SIZE));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(stockOf(heap, cacheFor(heap, pool, SIZE)) > before);
  heap.checkInvariants();
});

test("in mode kthread another CPU's poll gets the refill, and one chain at a time", () => {
  const { helper, heap, pool, cache } = helped();
  const stock = stockOf(heap, cache);
  heap.context.nmi(() => assert.equal(exhaust(pool, SIZE).length, stock));
  assert.equal(stockOf(heap, cache), 0, "leaving the context asks, and takes nothing from slab");
  for (let i = 0; i < 3; i++) helper.poll();
  heap.checkInvariants();
  heap.context.nmi(() =>
    assert.equal(exhaust(pool, SIZE).length, 48, "taken from the inbox in the context too"),
  );
  heap.checkInvariants();
});

test("in mode kthread a helper with a chain for somebody who has gone gives it back", () => {
  const { helper, heap, pool } = helped();
  heap.context.nmi(() => exhaust(pool, SIZE));
  heap.detach();
  for (let i = 0; i < 8; i++) helper.poll();
  const { taken, listed } = booksOf(helper, "fixed");
  assert.equal(taken - listed, 4, "what was handed out");
  helper.checkInvariants();
});

test("in mode kthread what a helper gave is given back at detach", () => {
  const { helper, heap, pool } = helped();
  const objects = heap.context.nmi(() => exhaust(pool, SIZE));
  helper.poll();
  freeAll(pool, objects);
  heap.detach();
  for (let i = 0; i < 8; i++) helper.poll();
  assert.equal(booksOf(helper, "fixed").taken, 0);
  helper.checkInvariants();
});

test("in mode kthread an alloc in task context does the work itself before it returns NULL", () => {
  const { heap, pool } = helped();
  assert.equal(allocMany(pool, SIZE, 1000).length, 1000);
  heap.checkInvariants();
});

test("in mode kthread that takes nothing from what is reserved in other caches", () => {
  const { heap, pool } = helped();
  const other = heap.memCache({ name: "other", size: SIZE });
  assert.equal(other.reserve(500), 500);
  assert.equal(allocMany(pool, SIZE, 1000).length, 1000);
  assert.equal(stockOf(heap, cacheFor(heap, other, SIZE)), 500);
  heap.checkInvariants();
});

test("a CPU in mode kthread runs no callbacks: others do", () => {
  const { helper, heap, pool } = helped();
  helper.rcu.readLock();
  for (const p of allocMany(pool, SIZE, 500)) pool.freeRcu(p);
  helper.rcu.readUnlock();
  for (let i = 0; i < 8; i++) heap.poll();
  assert.ok(booksOf(heap, "fixed").waiting > 0);
  for (let i = 0; i < 8; i++) helper.poll();
  assert.equal(booksOf(heap, "fixed").waiting, 0);
  heap.checkInvariants();
});

test("a destroyed allocator goes away, whatever its helped CPUs had asked for", async () => {
  const { helper, heap, pool } = helped();
  const objects = heap.context.nmi(() => exhaust(pool, SIZE));
  helper.poll();
  freeAll(pool, objects);
  const gone = pool.destroy();
  for (let i = 0; i < 8; i++) {
    helper.poll();
    heap.poll();
  }
  assert.deepEqual(await gone, { leaked: [] });
  helper.checkInvariants();
});

test("calls of a helped CPU and its helper in any order keep the books", () => {
  const step = fc.constantFrom("alloc", "free", "freeRcu", "nmi", "helper", "poll");
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { helper, heap, pool } = helped();
      const held: number[] = [];
      for (const name of steps) {
        if (name === "alloc") held.push(pool.alloc());
        else if (name === "free") pool.free(held.pop() ?? 0);
        else if (name === "freeRcu") pool.freeRcu(held.pop() ?? 0);
        else if (name === "nmi") held.push(...heap.context.nmi(() => exhaust(pool, SIZE)));
        else if (name === "helper") helper.poll();
        else heap.poll();
        heap.checkInvariants();
        const { taken, listed } = booksOf(heap, "fixed");
        assert.equal(taken - listed, held.length);
      }
    }),
    { numRuns: 30 },
  );
});

for (const size of [64, 1000]) {
  test(`a thread in mode kthread lives on what this thread's polls get, objects of ${size} bytes`, async () => {
    const helper = SharedHeap.create({ bytes: 4 * MIB, maxCpus: 3, turns: false });
    const pool = helper.memCache({ name: "fixed", size });
    const workerData: KthreadJob = { token: helper.token, name: "fixed", size, objects: 20_000 };
    const worker = new Worker(new URL("./kthread-worker.js", import.meta.url), { workerData });
    let isDone = false;
    const answer = once(worker, "message").finally(() => {
      isDone = true;
    });
    while (!isDone) {
      helper.poll();
      freeAll(pool, allocMany(pool, size, 10));
      await setImmediate();
    }
    const [{ got, nulls, ...rest }] = (await answer) as [KthreadTally];
    assert.ok(got >= 20_000, `${got} objects, ${nulls} NULLs`);
    assert.deepEqual(rest, { overwritten: 0, slabAllocs: 0, slabFrees: 0 });
    for (let i = 0; i < 8; i++) helper.poll();
    helper.checkInvariants();
    const { taken, listed } = booksOf(helper, "fixed");
    assert.equal(taken, listed);
    await worker.terminate();
  });
}

test("a mode that there is not is refused", () => {
  throwsCode("bad-option", () => SharedHeap.create({ irqWork: "later" as "turn" }));
});

test("mode kthread needs somebody who helps", () => {
  throwsCode("bad-option", () => SharedHeap.create({ irqWork: "kthread", maxCpus: 1 }));
});
