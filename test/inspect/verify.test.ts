import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { SharedHeap } from "sharedheap";
import { MAGIC, NULL_DEPTH, PERCPU_USED, RECORDS_USED, VERSION } from "#src/arena/layout.js";
import { allocMany, cpusOf, freeAll, homeOf, MIB, nodeOf } from "../memalloc/heaps.ts";

/** A small heap in which every structure is in use. */
function busyHeap(): SharedHeap {
  const [a, b] = cpusOf(3, { bytes: MIB, maxNames: 16, percpuBytes: 16 * 1024 });
  const pool = a.memAlloc({ name: "any" });
  const other = b.memAlloc({ name: "any" });
  const fixed = b.memCache({ name: "fixed", size: 100 });
  const own = a.kmemCache({ name: "own", size: 40 });
  for (const size of [8, 60, 200, 500, 2000]) freeAll(other, allocMany(pool, size, 110).slice(5));
  freeAll(fixed, allocMany(fixed, 100, 50).slice(10));
  for (let i = 0; i < 200; i++) if (i % 3 !== 0) own.free(own.alloc());
  a.kmalloc(30_000);
  a.kmalloc(5000);
  a.roots.set("root", a.kmalloc(8));
  a.checkInvariants();
  return a;
}

test("a heap in full use has nothing to report", () => {
  const heap = busyHeap();
  assert.deepEqual(heap.verify(), []);
  heap.checkInvariants();
});

describe("verify reports", () => {
  const flips: [string, RegExp, (heap: SharedHeap) => number][] = [
    ["a write through NULL", /NULL/, () => 0],
    ["a write to the depth of NULL", /NULL/, () => NULL_DEPTH],
    ["a damaged magic word", /magic/, () => MAGIC],
    ["a damaged version", /version/, () => VERSION],
  ];
  for (const [name, expected, word] of flips) {
    test(name, () => {
      const heap = busyHeap();
      heap.i32[word(heap)] ^= 1;
      assert.match(heap.verify().join("\n"), expected);
    });
  }

  test("names that were never reserved", () => {
    const heap = busyHeap();
    heap.i32[RECORDS_USED] = 1;
    assert.match(heap.verify().join("\n"), /names published, only 1 reserved/);
  });

  test("a flipped bit of any word that says which pages are free", () => {
    const heap = SharedHeap.create({ bytes: MIB, maxCpus: 1 });
    const before = heap.i32.slice();
    const block = heap.kmalloc(64 * 1024);
    const changed = [...before.keys()].filter((i) => i < block / 4 && before[i] !== heap.i32[i]);
    assert.ok(changed.length >= 3, "bitmaps, a descriptor, counters");
    let reported = 0;
    for (const word of changed) {
      heap.i32[word] ^= 1 << 3;
      if (heap.verify().length > 0) reported++;
      heap.i32[word] ^= 1 << 3;
    }
    // the peak and this CPU's search hints are no invariants
    assert.ok(reported >= changed.length - 3, `${reported} of ${changed.length}`);
  });

  test("a double kfree that went unseen", () => {
    const heap = busyHeap();
    const p = heap.kmalloc(1000);
    heap.kfree(p);
    heap.kfree(p);
    assert.notDeepEqual(heap.verify(), []);
  });

  test("at most 100 problems", () => {
    const heap = busyHeap();
    heap.i32.fill(-1, 4096);
    assert.ok(heap.verify().length <= 100);
    assert.throws(() => heap.checkInvariants(), { code: "corrupt" });
  });
});

/** Where to scribble: anywhere, or where the tables are, or where objects and caches are. */
function placesOf(heap: SharedHeap): fc.Arbitrary<number> {
  const firstPage = heap.u8.length - heap.stats().pages.total * 4096;
  const p = heap.memAlloc({ name: "any" }).alloc(60);
  const cache = homeOf(heap, p);
  return fc.oneof(
    fc.nat(heap.i32.length - 1),
    fc.nat(firstPage / 4 - 1),
    fc.integer({ min: 1024, max: 1024 + 16 + 16 * 48 }),
    fc.integer({ min: cache - 2 * 32, max: cache + 9 * 32 }),
    fc.integer({ min: nodeOf(p) - 200, max: nodeOf(p) + 200 }),
    fc.integer({ min: 0, max: PERCPU_USED }),
  );
}

function valuesOf(heap: SharedHeap): fc.Arbitrary<number> {
  return fc.oneof(
    fc.integer(),
    fc.constantFrom(0, 1, -1, 2, 3, 16, 0x7fffffff, -0x80000000),
    fc.nat(heap.i32.length + 1000),
    fc.nat(heap.i32.length / 4).map((lines) => lines * 4),
    fc.nat(64),
  );
}

/** Runs `call`; fails if it reads more than `limit` words. */
function bounded<T>(limit: number, call: () => T): T {
  const load = Atomics.load;
  let reads = 0;
  const counting = (words: Int32Array, at: number) => {
    if (++reads > limit) throw new Error(`still running after ${limit} reads`);
    return load(words, at);
  };
  Atomics.load = counting as typeof Atomics.load;
  try {
    return call();
  } finally {
    Atomics.load = load;
  }
}

function survives(heap: SharedHeap, whole: Int32Array, writes: readonly (readonly [number, number])[]): void {
  heap.i32.set(whole);
  for (const [at, value] of writes) heap.i32[at] = value;
  const problems = bounded(100 * heap.i32.length, () => heap.verify());
  assert.ok(Array.isArray(problems) && problems.length <= 100);
  assert.ok(problems.every((problem) => typeof problem === "string" && problem.length > 0));
}

describe("a scribbled heap", () => {
  const heap = busyHeap();
  const [place, value] = [placesOf(heap), valuesOf(heap)];
  const whole = heap.i32.slice();

  test("one word, anything in it: verify returns", () => {
    fc.assert(
      fc.property(place, value, (at, written) => survives(heap, whole, [[at, written]])),
      { numRuns: 1500 },
    );
  });

  test("many words: verify returns", () => {
    const writes = fc.array(fc.tuple(place, value), { minLength: 2, maxLength: 60, size: "max" });
    fc.assert(
      fc.property(writes, (list) => survives(heap, whole, list)),
      { numRuns: 300 },
    );
  });

  test("a word copied over another: verify returns", () => {
    fc.assert(
      fc.property(place, place, (to, from) => survives(heap, whole, [[to, whole[from]]])),
      { numRuns: 800 },
    );
  });

  test("each word of the tables in turn, flipped: verify returns", () => {
    const tables = (heap.u8.length - heap.stats().pages.total * 4096) / 4;
    for (let at = 0; at < tables; at++) {
      if (whole[at] === 0) continue;
      for (const bit of [at % 32, 20, 31]) survives(heap, whole, [[at, whole[at] ^ (1 << bit)]]);
    }
  });

  test("a heap of noise: verify returns", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        heap.i32.set(whole);
        let random = seed;
        for (let at = 10; at < heap.i32.length; at++) {
          random = (Math.imul(random, 1103515245) + 12345) | 0;
          if (random & 0x10000) heap.i32[at] = random >> (random & 15);
        }
        assert.ok(bounded(100 * heap.i32.length, () => heap.verify()).length > 0);
      }),
      { numRuns: 20 },
    );
  });
});
