/** Allocating and freeing in contexts that were declared nested or real-time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { MemCache, SharedHeap } from "sharedheap";
import { UNIT_SIZES, watermarksOf } from "#src/memalloc/sizes.js";
import { allocMany, booksOf, cacheFor, exhaust, freeAll, MIB, oneCpu, settle, stockOf } from "./heaps.ts";

const kinds = ["softirq", "hardirq", "nmi"] as const;

for (const kind of kinds) {
  test(`in ${kind} nothing is refilled until it ends`, () => {
    const heap = oneCpu();
    const pool = heap.memCache({ name: "fixed", size: 64 });
    const cache = cacheFor(heap, pool, 64);
    const before = booksOf(heap, "fixed");
    const stock = stockOf(heap, cache);
    const objects = heap.context[kind](() => {
      const got = exhaust(pool, 64);
      assert.equal(stockOf(heap, cache), 0, "NULL only when the list is empty");
      assert.equal(booksOf(heap, "fixed").taken, before.taken);
      heap.poll();
      assert.equal(pool.alloc(), 0, "a poll inside does nothing");
      return got;
    });
    assert.equal(objects.length, stock);
    assert.equal(stockOf(heap, cache), 48, "refilled on leaving");
    assert.equal(booksOf(heap, "fixed").refills, before.refills + 1);
    assert.notEqual(pool.alloc(), 0);
    heap.checkInvariants();
  });

  test(`in ${kind} what is above the high watermark goes home, a batch at a time`, () => {
    const heap = oneCpu();
    const pool = heap.memCache({ name: "fixed", size: 64 });
    const objects = allocMany(pool, 64, 300);
    const cache = cacheFor(heap, pool, 64);
    const stock = stockOf(heap, cache);
    const { trims } = booksOf(heap, "fixed");
    heap.context[kind](() => {
      for (const p of objects) {
        pool.free(p);
        assert.ok(stockOf(heap, cache) <= 96, `${stockOf(heap, cache)} in stock`);
      }
      assert.equal(booksOf(heap, "fixed").trims - trims, Math.ceil((stock + 300 - 96) / 48));
    });
    heap.checkInvariants();
  });
}

test("in a context an alloc takes what waits at home, and slab is left alone", () => {
  const heap = oneCpu();
  const pool = heap.memCache({ name: "fixed", size: 64 });
  freeAll(pool, allocMany(pool, 64, 300));
  const cache = cacheFor(heap, pool, 64);
  const { listed, taken, refills } = booksOf(heap, "fixed");
  const atHome = listed - stockOf(heap, cache);
  assert.ok(atHome >= 3 * 48, `${atHome} objects wait at home`);
  heap.context.nmi(() => {
    const objects = exhaust(pool, 64);
    assert.equal(objects.length, listed);
    assert.equal(booksOf(heap, "fixed").taken, taken);
    assert.equal(booksOf(heap, "fixed").refills, refills + atHome / 48);
    freeAll(pool, objects);
    heap.checkInvariants();
  });
  heap.checkInvariants();
});

test("a refill that takes what waits at home is told, with the stock from before, and its handler changes nothing", () => {
  const heap = oneCpu();
  const pool = heap.memCache({ name: "fixed", size: 64 });
  freeAll(pool, allocMany(pool, 64, 300));
  const { listed, refills } = booksOf(heap, "fixed");
  const stocks: number[] = [];
  const found: number[] = [];
  heap.context.nmi(() => {
    const off = heap.tracepoints.on("memalloc:refill", (_bytes, stock) => {
      stocks.push(stock);
      found.push(pool.alloc());
      pool.free(found[found.length - 1]);
    });
    assert.equal(exhaust(pool, 64).length, listed);
    off();
  });
  assert.equal(stocks.length, booksOf(heap, "fixed").refills - refills - 1, "the last one is from slab");
  assert.ok(stocks.length > 1 && stocks.every((stock) => stock < 32), `${stocks} in stock before`);
  assert.ok(!found.includes(0), "the handler finds what came");
  heap.checkInvariants();
});

for (const [size, count] of [
  [64, 10_000],
  [8184, 300],
]) {
  test(`${count} objects of ${size} bytes freed in one context do not stay on the list`, () => {
    const heap = oneCpu({ bytes: 16 * MIB });
    const pool = heap.memCache({ name: "fixed", size });
    const objects = allocMany(pool, size, count);
    heap.context.nmi(() => freeAll(pool, objects));
    heap.checkInvariants();
    settle(heap);
    const { high } = watermarksOf(size + 8);
    assert.ok(booksOf(heap, "fixed").listed <= 2 * high, `${booksOf(heap, "fixed").listed} objects on lists`);
  });
}

test("what was freed in a context comes back a batch at a time", () => {
  const heap = oneCpu();
  const pool = heap.memCache({ name: "fixed", size: 64 });
  const objects = allocMany(pool, 64, 300);
  const cache = cacheFor(heap, pool, 64);
  heap.context.nmi(() => freeAll(pool, objects));
  for (let i = 0; i < 200; i++) {
    assert.notEqual(pool.alloc(), 0);
    assert.ok(
      stockOf(heap, cache) <= 97,
      `${stockOf(heap, cache)} objects on the list after ${i + 1} allocs`,
    );
  }
  heap.checkInvariants();
});

test("every bucket gives what is on its list, and no more", () => {
  const heap = oneCpu();
  const pool = heap.memAlloc({ name: "any" });
  for (const unit of UNIT_SIZES) {
    const stock = stockOf(heap, cacheFor(heap, pool, unit - 8));
    assert.equal(heap.context.nmi(() => exhaust(pool, unit - 8)).length, stock, `unit ${unit}`);
    assert.equal(stockOf(heap, cacheFor(heap, pool, unit - 8)), watermarksOf(unit).batch, `unit ${unit}`);
  }
  heap.checkInvariants();
});

test("work waits for the outermost of nested contexts", () => {
  const heap = oneCpu();
  const pool = heap.memCache({ name: "fixed", size: 64 });
  const cache = cacheFor(heap, pool, 64);
  heap.context.softirq(() => {
    heap.context.nmi(() => exhaust(pool, 64));
    assert.equal(stockOf(heap, cache), 0);
    assert.equal(pool.alloc(), 0);
  });
  assert.equal(stockOf(heap, cache), 48);
});

test("work that was raised before an error runs when the error leaves", () => {
  const heap = oneCpu();
  const pool = heap.memCache({ name: "fixed", size: 64 });
  const cache = cacheFor(heap, pool, 64);
  const failing = () =>
    heap.context.nmi(() => {
      exhaust(pool, 64);
      throw new RangeError("the program's");
    });
  assert.throws(failing, RangeError);
  assert.equal(heap.context.inTask(), true);
  assert.equal(stockOf(heap, cache), 48);
});

test("the first malloc may be made in a declared context", () => {
  const heap = oneCpu();
  const p = heap.context.nmi(() => heap.malloc(100));
  assert.notEqual(p, 0);
  heap.context.nmi(() => heap.free(p));
  heap.checkInvariants();
});

test("out of memory inside a context is put right outside, once there is memory", () => {
  const heap = oneCpu({ bytes: MIB });
  const pool = heap.memAlloc({ name: "any" });
  const objects = exhaust(pool, 2000);
  heap.context.nmi(() => {
    freeAll(pool, objects.splice(0, 40));
    assert.equal(pool.alloc(300), 0);
  });
  assert.notEqual(pool.alloc(300), 0);
  heap.checkInvariants();
});

interface Step {
  readonly kind: "task" | (typeof kinds)[number];
  readonly burst: number;
}

function runStep(heap: SharedHeap, pool: MemCache, { kind, burst }: Step, objects: number[]): void {
  const calls = () => {
    for (let i = 0; i < Math.abs(burst); i++) {
      if (burst < 0) pool.free(objects.pop() ?? 0);
      else objects.push(...[pool.alloc()].filter((p) => p !== 0));
    }
  };
  if (kind === "task") calls();
  else heap.context[kind](calls);
}

test("stock is there, and bounded, after any sequence of contexts", () => {
  const step = fc.record({
    kind: fc.constantFrom("task", ...kinds),
    burst: fc.integer({ min: -150, max: 150 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 10 }), (steps) => {
      const heap = oneCpu();
      const pool = heap.memCache({ name: "fixed", size: 64 });
      const cache = cacheFor(heap, pool, 64);
      const objects: number[] = [];
      for (const each of steps) {
        runStep(heap, pool, each, objects);
        heap.checkInvariants();
        assert.ok(stockOf(heap, cache) <= 96);
        if (each.burst > 0) assert.ok(stockOf(heap, cache) > 0);
        assert.equal(booksOf(heap, "fixed").out, objects.length);
      }
    }),
    { numRuns: 40 },
  );
});
