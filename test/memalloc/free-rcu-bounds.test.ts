/** How much memory waits for grace periods, and that it comes back: under load, at rest, and before NULL. */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import type { CreateOptions, MemAlloc, MemCache } from "sharedheap";
import { SharedHeap } from "sharedheap";
import { UNIT_SIZES, watermarksOf } from "#src/memalloc/sizes.js";
import { allocMany, booksOf, cpusOf, exhaust, MIB, oneCpu, settle, usedObjects } from "./heaps.ts";

type Pool = MemAlloc | MemCache;

const ALLOCATORS: [string, (heap: SharedHeap, size: number) => Pool][] = [
  ["MemAlloc", (heap) => heap.memAlloc({ name: "pool" })],
  ["MemCache", (heap, size) => heap.memCache({ name: "pool", size })],
];

const FREES: [string, (pool: Pool, p: number) => void][] = [
  ["free", (pool, p) => pool.free(p)],
  ["freeRcu", (pool, p) => pool.freeRcu(p)],
  ["both in turn", (pool, p) => (p % 16 === 0 ? pool.free(p) : pool.freeRcu(p))],
];

const OBJECTS = 4096;

/** Allocates and frees OBJECTS objects, `chunk` at a time. */
function churn(pool: Pool, size: number, chunk: number, free: (pool: Pool, p: number) => void): void {
  for (let done = 0; done < OBJECTS; done += chunk)
    for (const p of allocMany(pool, size, chunk)) free(pool, p);
}

/** Nothing waits for anything: the free lists of all buckets are as short as they should be. */
function assertAtRest(heap: SharedHeap, size: number, what: string): void {
  const { high } = watermarksOf(size + 8);
  const { listed, out } = booksOf(heap, "pool");
  // the other buckets of an any-size allocator hold their first objects
  assert.ok(listed <= high + 32, `${what}: ${listed} objects on lists`);
  assert.equal(out, 0);
  heap.checkInvariants();
}

describe(`after ${OBJECTS} objects were freed and then nothing is done`, () => {
  for (const [name, open] of ALLOCATORS) {
    for (const [how, free] of FREES) {
      for (const chunk of [OBJECTS, 512]) {
        const what = `${name}, ${how}, ${chunk} at a time`;
        test(`a second of idling brings them back to slab: ${what}`, (context: TestContext) => {
          context.mock.timers.enable({ apis: ["setTimeout"] });
          const heap = SharedHeap.create({ bytes: 4 * MIB, maxCpus: 2 });
          churn(open(heap, 56), 56, chunk, free);
          for (let ms = 0; ms < 1000; ms++) context.mock.timers.tick(1);
          assertAtRest(heap, 56, "after a second");
          heap.detach();
          assert.equal(usedObjects(heap), 0);
        });

        test(`a few polls bring them back to slab: ${what}`, () => {
          for (const traceImpliesRcu of [true, false]) {
            for (const size of [8, 56, 504, 4088, ...(name === "MemCache" ? [8184] : [])]) {
              const heap = oneCpu({ bytes: 48 * MIB, traceImpliesRcu });
              churn(open(heap, size), size, chunk, free);
              settle(heap);
              assertAtRest(heap, size, `${size} bytes, traceImpliesRcu ${traceImpliesRcu}`);
              heap.detach();
              assert.equal(usedObjects(heap), 0);
            }
          }
        });
      }
    }
  }

  test("on another CPU than their home: a second of idling on either one", (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    for (const idle of [0, 1]) {
      const heaps = [SharedHeap.create({ bytes: 4 * MIB, maxCpus: 2, turns: idle === 0 })];
      heaps.push(SharedHeap.attach(heaps[0].token, { turns: idle === 1 }));
      const [home, other] = heaps.map((heap) => heap.memCache({ name: "pool", size: 56 }));
      for (const p of allocMany(home, 56, OBJECTS)) other.freeRcu(p);
      other.freeRcu(0);
      for (let ms = 0; ms < 1000; ms++) context.mock.timers.tick(1);
      const { listed } = booksOf(heaps[0], "pool");
      assert.ok(listed <= 2 * 97 + 47, `${listed} objects on lists, CPU ${idle} idles`);
      heaps[0].checkInvariants();
      for (const heap of heaps) heap.detach();
      assert.equal(usedObjects(heaps[0]), 0);
    }
  });
});

describe("plain frees above the high watermark", () => {
  for (const traceImpliesRcu of [true, false]) {
    for (const kind of ["tasks trace", "RCU"] as const) {
      test(`reach slab only after readers: ${kind}, traceImpliesRcu ${traceImpliesRcu}`, () => {
        const [a, b] = cpusOf(2, { bytes: MIB, traceImpliesRcu });
        const pool = a.memCache({ name: "pool", size: 248 });
        const objects = allocMany(pool, 248, 1000);
        const { taken } = booksOf(a, "pool");
        const section = kind === "RCU" ? b.rcu.read() : b.rcu.tasksTrace.enter();
        for (const p of objects) pool.free(p);
        settle(a);
        assert.equal(booksOf(a, "pool").taken, taken);
        exhaust(b.memCache({ name: "other", size: 248 }), 248);
        const again = exhaust(pool, 248);
        assert.ok(again.length >= 64, "what is on the free list may be reused");
        for (const p of again) pool.free(p);
        section[Symbol.dispose]();
        settle(a);
        assert.ok(booksOf(a, "pool").taken <= 96);
        a.checkInvariants();
      });
    }
  }
});

/** The most pages in use while `step` was done `count` times, beyond those that it needed for the first ones. */
function growth(heap: SharedHeap, count: number, step: (i: number) => void): number {
  for (let i = 0; i < 5000; i++) step(i);
  const before = heap.stats().pages.peak;
  for (let i = 0; i < count; i++) step(i);
  heap.checkInvariants();
  return heap.stats().pages.peak - before;
}

describe("a loop without polls stays in bounded memory", () => {
  for (const [name, open] of ALLOCATORS) {
    for (const size of [8, 56, 504, 4088]) {
      test(`${name} of ${size} bytes: alloc and freeRcu`, () => {
        const heap = oneCpu({ bytes: 8 * MIB });
        const pool = open(heap, size);
        const grown = growth(heap, 100_000, () => {
          const p = pool.alloc(size);
          assert.notEqual(p, 0);
          pool.freeRcu(p);
        });
        assert.ok(grown <= 4, `${grown} pages more`);
        assert.ok(heap.stats().pages.peak <= 200, `${heap.stats().pages.peak} pages`);
      });
    }

    test(`${name}: allocated on one CPU, freed on another with freeRcu`, () => {
      const [a, b] = cpusOf(2, { bytes: 8 * MIB });
      const [producer, consumer] = [open(a, 56), open(b, 56)];
      const grown = growth(a, 100_000, () => {
        const p = producer.alloc(56);
        assert.notEqual(p, 0);
        consumer.freeRcu(p);
      });
      assert.ok(grown <= 4, `${grown} pages more`);
      assert.equal(booksOf(a, "pool").out, 0);
    });
  }

  test("with read sections that come and go on both CPUs", () => {
    const [a, b] = cpusOf(2, { bytes: 8 * MIB });
    const pools = [a, b].map((heap) => heap.memAlloc({ name: "pool" }));
    let section = b.rcu.tasksTrace.enter();
    const grown = growth(a, 100_000, (i) => {
      if (i % 100 === 0) {
        const next = b.rcu.tasksTrace.enter();
        section.exit();
        section = next;
      }
      b.rcu.readLock();
      pools[i % 2].freeRcu(pools[(i >> 1) % 2].alloc(56));
      b.rcu.readUnlock();
    });
    section.exit();
    assert.ok(grown <= 8, `${grown} pages more`);
  });

  test("what gathered behind a long section goes back in the loop after it", () => {
    const [a, b] = cpusOf(2, { bytes: 8 * MIB });
    const pool = a.memCache({ name: "pool", size: 56 });
    b.rcu.readLock();
    for (let i = 0; i < 20_000; i++) pool.freeRcu(pool.alloc());
    assert.ok(booksOf(a, "pool").listed >= 20_000);
    b.rcu.readUnlock();
    for (let i = 0; i < 60_000; i++) pool.freeRcu(pool.alloc());
    assert.ok(booksOf(a, "pool").listed < 1000, `${booksOf(a, "pool").listed} objects on lists`);
    a.checkInvariants();
  });

  test("frees alone, of what another CPU allocates and neither polls", () => {
    const heaps = cpusOf(3, { bytes: 8 * MIB });
    const pools = heaps.map((heap) => heap.memAlloc({ name: "pool" }));
    const sizes = [16, 100, 248, 500, 2000];
    const grown = growth(heaps[0], 50_000, (i) => {
      const p = pools[0].alloc(sizes[i % sizes.length]);
      assert.notEqual(p, 0);
      pools[1 + (i % 2)].freeRcu(p);
    });
    assert.ok(grown <= 16, `${grown} pages more`);
  });
});

/** Fills a heap with objects of `size` bytes and frees all of them with freeRcu on CPU `freer`. */
function fullOfFreed(
  size: number,
  freer: number,
  options: CreateOptions = {},
): [SharedHeap[], MemAlloc[], number] {
  const heaps = cpusOf(2, { bytes: MIB, ...options });
  const pools = heaps.map((heap) => heap.memAlloc({ name: "pool" }));
  const objects = exhaust(pools[0], size);
  heaps[1].rcu.readLock();
  for (const p of objects) pools[freer].freeRcu(p);
  return [heaps, pools, objects.length];
}

describe("NULL", () => {
  for (const unit of UNIT_SIZES) {
    test(`is not returned while memory waits for nobody: unit ${unit}`, () => {
      for (const freer of [0, 1]) {
        const [heaps, pools, count] = fullOfFreed(unit - 8, freer);
        assert.equal(pools[0].alloc(unit - 8), 0, "a section is open");
        heaps[1].rcu.readUnlock();
        const { batch } = watermarksOf(unit);
        const again = exhaust(pools[0], unit - 8).length;
        // less what lies in the other CPU's batch, and on its free list
        assert.ok(again >= count - freer * (batch + 97), `${again} of ${count}`);
        heaps[0].checkInvariants();
      }
    });
  }

  test("is not returned for another size, or by kmalloc, either", () => {
    for (const traceImpliesRcu of [true, false]) {
      const takers: ((heap: SharedHeap) => number)[] = [
        (heap) => heap.memAlloc({ name: "pool" }).alloc(4088),
        (heap) => heap.malloc(3000),
        (heap) => heap.kmalloc(50_000),
      ];
      for (const take of takers) {
        const [heaps] = fullOfFreed(56, 0, { traceImpliesRcu });
        heaps[1].rcu.readUnlock();
        assert.notEqual(take(heaps[0]), 0);
        heaps[0].checkInvariants();
      }
    }
  });

  test("is not returned while memory waits for nobody, in chains of single objects", () => {
    for (const size of [8, 504]) {
      const [a, b] = cpusOf(2, { bytes: MIB });
      const pool = a.memAlloc({ name: "pool" });
      const objects = exhaust(pool, size);
      b.rcu.readLock();
      for (const p of objects) {
        pool.freeRcu(p);
        a.poll(); // the end of a turn: what there is becomes a chain
      }
      b.rcu.readUnlock();
      assert.notEqual(a.kmalloc(400_000), 0, `${objects.length} objects of ${size} bytes`);
      a.checkInvariants();
    }
  });

  test("is no reason not to open another allocator", () => {
    const [heaps] = fullOfFreed(56, 0);
    heaps[1].rcu.readUnlock();
    assert.notEqual(heaps[0].memCache({ name: "other", size: 8000 }).alloc(), 0);
  });

  test("means that a reader is waited for: a tasks-trace section keeps other types from the memory", () => {
    const [heaps, pools] = fullOfFreed(56, 0);
    heaps[1].rcu.readUnlock();
    const section = heaps[1].rcu.tasksTrace.enter();
    assert.equal(pools[0].alloc(4088), 0);
    assert.notEqual(pools[0].alloc(56), 0, "the same type may have it");
    section.exit();
    assert.notEqual(pools[0].alloc(4088), 0);
    heaps[0].checkInvariants();
  });
});
