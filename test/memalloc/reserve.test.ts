/** `reserve`: stock for a stretch without refills. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SharedHeap } from "sharedheap";
import { UNIT_SIZES } from "#src/memalloc/sizes.js";
import {
  allocMany,
  booksOf,
  cacheFor,
  cpusOf,
  exhaust,
  freeAll,
  MIB,
  oneCpu,
  refuses,
  settle,
  stockOf,
} from "./heaps.ts";

test("what was reserved can be had in a real-time stretch, and comes back to it by frees", () => {
  const heap = oneCpu();
  const pool = heap.memCache({ name: "fixed", size: 64 });
  assert.equal(pool.reserve(500), 500);
  for (let round = 0; round < 3; round++) {
    const objects = heap.context.nmi(() => allocMany(pool, 64, 500));
    freeAll(pool, objects);
    heap.poll();
    heap.checkInvariants();
    assert.ok(stockOf(heap, cacheFor(heap, pool, 64)) >= 500);
  }
});

test("each bucket of an any-size allocator has a reserve of its own", () => {
  fc.assert(
    fc.property(fc.constantFrom(...UNIT_SIZES), fc.integer({ min: 0, max: 300 }), (unit, objects) => {
      const heap = oneCpu({ bytes: 8 * MIB });
      const pool = heap.memAlloc({ name: "any" });
      const stock = stockOf(heap, cacheFor(heap, pool, unit - 8));
      assert.equal(pool.reserve(unit - 8, objects), Math.max(stock, objects));
      const got = heap.context.nmi(() => exhaust(pool, unit - 8));
      assert.equal(got.length, Math.max(stock, objects));
      heap.checkInvariants();
    }),
    { numRuns: 40 },
  );
});

test("a reserve of 0 is none: the surplus goes home", () => {
  const heap = oneCpu();
  const pool = heap.memCache({ name: "fixed", size: 64 });
  pool.reserve(500);
  pool.reserve(0);
  pool.free(pool.alloc());
  assert.ok(stockOf(heap, cacheFor(heap, pool, 64)) <= 96);
  heap.checkInvariants();
});

test("in a full heap a reserve is what there is", () => {
  const heap = oneCpu({ bytes: 512 * 1024, maxNames: 16 });
  const pool = heap.memCache({ name: "fixed", size: 4000 });
  const got = pool.reserve(10_000);
  assert.ok(got > 0 && got < 10_000, `${got}`);
  assert.equal(exhaust(pool, 4000).length, got);
  heap.checkInvariants();
});

test("a smaller reserve takes effect at once", () => {
  const heap = oneCpu();
  const pool = heap.memCache({ name: "fixed", size: 64 });
  const any = heap.memAlloc({ name: "any" });
  for (const objects of [3000, 500, 2000, 100, 0]) {
    pool.reserve(objects);
    heap.checkInvariants();
    any.reserve(300, objects >>> 1);
    heap.checkInvariants();
  }
  assert.ok(booksOf(heap, "fixed").listed - booksOf(heap, "fixed").waiting < 4000);
  settle(heap);
  assert.ok(booksOf(heap, "fixed").listed <= 96);
});

test("all objects that stand for an allocator on a thread have one reserve", () => {
  const heap = oneCpu();
  const [first, second] = [64, 64].map((size) => heap.memCache({ name: "fixed", size }));
  for (const [objects, by] of [
    [500, first],
    [0, second],
    [300, second],
    [0, first],
  ] as const) {
    by.reserve(objects);
    for (const pool of [first, second]) {
      freeAll(pool, allocMany(pool, 64, 1000));
      heap.checkInvariants();
      assert.ok(stockOf(heap, cacheFor(heap, pool, 64)) >= objects);
    }
  }
});

test("a reserve ends with its thread: the next one on that CPU has none", () => {
  const [heap, other] = cpusOf(2);
  other.memCache({ name: "fixed", size: 64 }).reserve(2000);
  other.memAlloc({ name: "any" }).reserve(64, 2000);
  other.detach();
  const next = SharedHeap.attach(heap.token, { turns: false });
  assert.equal(next.cpu, other.cpu);
  for (const pool of [next.memCache({ name: "fixed", size: 64 }), next.memAlloc({ name: "any" })]) {
    freeAll(pool, allocMany(pool, 64, 3000));
    assert.ok(stockOf(heap, cacheFor(next, pool, 64)) <= 96);
    heap.checkInvariants();
  }
});

test("a reserve comes to an end although a handler takes what it gets", () => {
  for (const irqWork of ["inline", "turn", "kthread"] as const) {
    const heap = oneCpu({ maxCpus: 2, irqWork });
    const pool = heap.memCache({ name: "fixed", size: 64 });
    heap.tracepoints.on("slab:alloc", () => pool.rawFree(pool.alloc()));
    assert.ok(pool.reserve(20) < 20);
    heap.checkInvariants();
  }
});

test("a reserve that cannot be is refused, and nothing changes", () => {
  const heap = oneCpu();
  const fixed = heap.memCache({ name: "fixed", size: 64 });
  const any = heap.memAlloc({ name: "any" });
  for (const objects of [-1, 1.5, 65_536, Number.NaN, "8" as unknown as number]) {
    refuses(heap, "bad-option", () => fixed.reserve(objects));
    refuses(heap, "bad-option", () => any.reserve(64, objects));
  }
  refuses(heap, "bad-size", () => any.reserve(-1, 8));
  for (const kind of ["softirq", "hardirq", "nmi"] as const) {
    heap.context[kind](() => {
      const message = refuses(heap, "bad-context", () => fixed.reserve(8));
      assert.match(message, new RegExp(`reserve\\(\\).*${kind}`), "names the call and the context");
    });
  }
  heap.detach();
  refuses(heap, "detached", () => fixed.reserve(8));
  refuses(heap, "detached", () => any.reserve(64, 8));
});
