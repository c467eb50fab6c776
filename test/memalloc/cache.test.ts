import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { MemAlloc, SharedHeap } from "sharedheap";
import { FREE_LIST_EXTRA, HAND, HAND_BUSY, HAND_IDLE } from "#src/memalloc/layout.js";
import { UNIT_SIZES, watermarksOf } from "#src/memalloc/sizes.js";
import {
  allocMany,
  booksOf,
  cacheFor,
  cpusOf,
  exhaust,
  freeAll,
  homeOf,
  MIB,
  oneCpu,
  setHand,
  settle,
  stockOf,
  usedObjects,
} from "./heaps.ts";

/** Brings the free list that serves `size` to `depth`, with objects that stay out. */
function driveTo(heap: SharedHeap, pool: MemAlloc, size: number, depth: number): void {
  const objects = allocMany(pool, size, 200);
  const cache = homeOf(heap, objects[0]);
  while (stockOf(heap, cache) > depth) objects.push(pool.alloc(size));
  while (stockOf(heap, cache) < depth) pool.free(objects.pop() as number);
}

describe("stock", () => {
  test("an opened any-size allocator holds 10,816 bytes and 11 pages on each CPU", () => {
    const cpus = cpusOf(3);
    cpus.slice(0, 2).forEach((heap) => {
      heap.memAlloc({ name: "any" });
    });
    const held = cpus[0].stats().cpus.map(({ listedBytes, currentPages }) => ({ listedBytes, currentPages }));
    const opened = { listedBytes: 10_816, currentPages: 11 };
    assert.deepEqual(held, [opened, opened, { listedBytes: 0, currentPages: 0 }]);
    assert.equal(booksOf(cpus[0], "any").listed, 2 * (7 * 4 + 4));
    cpus[0].checkInvariants();
  });

  test("with every bucket at the average of its watermarks a CPU holds 115,712 bytes", () => {
    const heap = oneCpu({ bytes: 16 * MIB });
    const pool = heap.memAlloc({ name: "any" });
    for (const unit of UNIT_SIZES) {
      const { low, high } = watermarksOf(unit);
      driveTo(heap, pool, unit - 8, (low + high) / 2);
    }
    assert.equal(heap.stats().cpus[0].listedBytes, 115_712);
    heap.checkInvariants();
  });

  test("a fixed-size allocator begins with 4 small objects, or with one large one", () => {
    for (const [size, objects] of [
      [8, 4],
      [248, 4],
      [249, 1],
      [8184, 1],
    ]) {
      const heap = oneCpu();
      heap.memCache({ name: "fixed", size });
      assert.equal(booksOf(heap, "fixed").listed, objects, `size ${size}`);
    }
  });

  test("however it is used, a free list is at most one object above the high watermark", () => {
    const steps = fc.array(fc.integer({ min: -150, max: 150 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(fc.constantFrom(1, 64, 500, 3000, 8184), steps, (size, bursts) => {
        const heap = oneCpu();
        const cache = heap.memCache({ name: "fixed", size });
        const { high } = watermarksOf(Math.ceil((size + 8) / 8) * 8);
        const address = homeOf(heap, cache.alloc());
        const objects: number[] = [];
        for (const burst of bursts) {
          for (let i = 0; i < Math.abs(burst); i++) {
            if (burst > 0) objects.push(cache.alloc());
            else cache.free(objects.pop() ?? 0);
            assert.ok(stockOf(heap, address) <= high, `${stockOf(heap, address)} objects of ${size} bytes`);
          }
          heap.checkInvariants();
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe("refill and trim", () => {
  test("a refill brings one batch, when the list falls below the low watermark", () => {
    const heap = oneCpu();
    const pool = heap.memCache({ name: "fixed", size: 64 });
    const cache = homeOf(heap, pool.alloc());
    assert.deepEqual([stockOf(heap, cache), booksOf(heap, "fixed").refills], [3 + 48, 1]);
    allocMany(pool, 64, 51 - 32);
    assert.deepEqual([stockOf(heap, cache), booksOf(heap, "fixed").refills], [32, 1]);
    pool.alloc();
    assert.deepEqual([stockOf(heap, cache), booksOf(heap, "fixed").refills], [31 + 48, 2]);
    assert.equal(booksOf(heap, "fixed").taken, 4 + 2 * 48);
  });

  test("a trim sends a batch home, when the stock grows above the high watermark", () => {
    const heap = oneCpu();
    const pool = heap.memCache({ name: "fixed", size: 64 });
    const objects = allocMany(pool, 64, 100);
    const cache = homeOf(heap, objects[0]);
    freeAll(pool, objects.splice(0, 96 - stockOf(heap, cache)));
    assert.deepEqual([stockOf(heap, cache), booksOf(heap, "fixed").trims], [96, 0]);
    pool.free(objects.pop() as number);
    assert.deepEqual([stockOf(heap, cache), booksOf(heap, "fixed").trims], [97 - 48, 1]);
    assert.equal(booksOf(heap, "fixed").out, objects.length);
    heap.checkInvariants();
  });

  test("what a trim sent home comes back with the next refill", () => {
    const heap = oneCpu();
    const pool = heap.memCache({ name: "fixed", size: 64 });
    const objects = allocMany(pool, 64, 97);
    const cache = homeOf(heap, objects[0]);
    while (booksOf(heap, "fixed").trims === 0) pool.free(objects.pop() as number);
    const { taken, refills } = booksOf(heap, "fixed");
    while (booksOf(heap, "fixed").refills === refills) objects.push(pool.alloc());
    assert.equal(booksOf(heap, "fixed").taken, taken, "nothing new from slab");
    assert.equal(stockOf(heap, cache), 31 + 48);
  });

  test("many chains wait for a refill; what is more goes to slab, and at the end of the turn all do", () => {
    const heap = oneCpu();
    const pool = heap.memCache({ name: "fixed", size: 64 });
    const objects = allocMany(pool, 64, 3000);
    const { taken } = booksOf(heap, "fixed");
    while (booksOf(heap, "fixed").trims < 15) pool.free(objects.pop() as number);
    assert.equal(booksOf(heap, "fixed").taken, taken);
    while (booksOf(heap, "fixed").trims < 40) pool.free(objects.pop() as number);
    const atHome = 40 * 48 - (taken - booksOf(heap, "fixed").taken);
    assert.ok(atHome > 8 * 48 && atHome < 24 * 48, `${atHome} objects wait`);
    heap.checkInvariants();
    settle(heap);
    assert.equal(booksOf(heap, "fixed").taken, taken - 40 * 48);
    heap.checkInvariants();
  });
});

describe("contents", () => {
  test("objects fresh from slab are zero, though the memory was used before", () => {
    const heap = oneCpu({ bytes: MIB });
    const blocks = exhaust({ alloc: (n) => heap.kmalloc(n), free: (p) => heap.kfree(p) }, 8192);
    for (const p of blocks) heap.u8.fill(0xff, p, p + 8192);
    for (const p of blocks) heap.kfree(p);
    const pool = heap.memAlloc({ name: "any" });
    for (const unit of UNIT_SIZES) {
      for (const p of allocMany(pool, unit - 8, 20)) {
        assert.ok(
          heap.u8.subarray(p, p + unit - 8).every((byte) => byte === 0),
          `unit ${unit}`,
        );
      }
    }
  });

  test("the object freed last is the one handed out next, with its contents", () => {
    const heap = oneCpu();
    const pool = heap.memAlloc({ name: "any" });
    for (const unit of UNIT_SIZES) {
      const p = pool.alloc(unit - 8);
      heap.u8.fill(0xab, p, p + unit - 8);
      pool.free(p);
      assert.equal(pool.alloc(unit - 8), p);
      assert.ok(heap.u8.subarray(p, p + unit - 8).every((byte) => byte === 0xab));
    }
  });
});

describe("a call nested in another one on the same cache", () => {
  test("gets NULL, and its frees wait on the extra list", () => {
    const heap = oneCpu();
    const pool = heap.memAlloc({ name: "any" });
    const objects = allocMany(pool, 100, 10);
    const cache = homeOf(heap, objects[0]);
    const before = stockOf(heap, cache);
    setHand(heap, cache, HAND_BUSY);
    assert.equal(pool.alloc(100), 0);
    assert.notEqual(pool.alloc(200), 0, "another bucket is not busy");
    freeAll(pool, objects.slice(0, 5));
    assert.equal(stockOf(heap, cache), before);
    assert.notEqual(heap.i32[cache + FREE_LIST_EXTRA], 0);
    assert.match(heap.verify().join("\n"), /a call is under way[\s\S]*5 objects on the extra list/);
    setHand(heap, cache, HAND_IDLE);
    heap.poll();
    assert.equal(stockOf(heap, cache), before + 5);
    heap.checkInvariants();
    freeAll(pool, objects.slice(5));
    assert.equal(booksOf(heap, "any").out, 1);
  });

  test("a free that is nested does not need a poll: the next work on the cache fetches it", () => {
    const heap = oneCpu();
    const pool = heap.memCache({ name: "fixed", size: 64 });
    const objects = allocMany(pool, 64, 40);
    const cache = homeOf(heap, objects[0]);
    setHand(heap, cache, HAND_BUSY);
    freeAll(pool, objects);
    setHand(heap, cache, HAND_IDLE);
    while (heap.i32[cache + FREE_LIST_EXTRA] !== 0) objects.push(pool.alloc());
    assert.ok(objects.length < 40 + 97, "at the latest when the list ran low");
    heap.checkInvariants();
  });

  test("loses nothing, in any order of calls", () => {
    const steps = fc.array(
      fc.record({ busy: fc.boolean(), poll: fc.boolean(), burst: fc.integer({ min: -60, max: 60 }) }),
    );
    fc.assert(
      fc.property(steps, (bursts) => {
        const heap = oneCpu();
        const pool = heap.memCache({ name: "fixed", size: 64 });
        const cache = cacheFor(heap, pool, 64);
        const objects: number[] = [];
        for (const { busy, poll, burst } of bursts) {
          setHand(heap, cache, busy ? HAND_BUSY : HAND_IDLE);
          for (let i = 0; i < Math.abs(burst); i++) {
            if (burst < 0) pool.free(objects.pop() ?? 0);
            else objects.push(...[pool.alloc()].filter((p) => p !== 0));
          }
          setHand(heap, cache, HAND_IDLE);
          if (!poll) continue;
          heap.poll();
          heap.checkInvariants();
          assert.equal(booksOf(heap, "fixed").out, objects.length);
        }
        assert.equal(new Set(objects).size, objects.length);
        freeAll(pool, objects);
        heap.detach();
        assert.equal(usedObjects(heap), 0);
      }),
      { numRuns: 60 },
    );
  });

  test("the hand is idle after every call", () => {
    const heap = oneCpu({ bytes: MIB });
    const pool = heap.memAlloc({ name: "any" });
    const cache = cacheFor(heap, pool, 1000);
    for (const p of exhaust(pool, 1000)) {
      assert.equal(heap.i32[cache + HAND], HAND_IDLE);
      pool.free(p);
      assert.equal(heap.i32[cache + HAND], HAND_IDLE);
    }
  });
});

describe("detach", () => {
  test("gives back all objects on lists, busy or not, and leaves those that are out", () => {
    const [a, b] = cpusOf(2);
    const pool = a.memAlloc({ name: "any" });
    const other = b.memAlloc({ name: "any" });
    const objects = UNIT_SIZES.flatMap((unit) => allocMany(pool, unit - 8, 30));
    const cache = homeOf(a, objects[0]);
    setHand(a, cache, HAND_BUSY);
    pool.free(objects.shift() as number);
    setHand(a, cache, HAND_IDLE);
    a.detach();
    const { listed, out } = booksOf(b, "any");
    assert.deepEqual([listed, out], [7 * 4 + 4, objects.length]);
    b.checkInvariants();
    freeAll(other, objects);
    b.detach();
    assert.equal(usedObjects(b), 0);
    b.checkInvariants();
  });
});
