import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ZERO_SIZE_PTR } from "#src/arena/layout.js";
import type { Booted } from "#src/boot.js";
import {
  checkSize,
  GFP_ZERO,
  KMALLOC_SIZES,
  kmallocSizeRoundup,
  slabCacheOf,
  slabPageAt,
} from "#src/mm/index.js";
import { USE_COUNT_SHIFT, USE_LARGE } from "#src/mm/layout.js";
import { changesNothing, throwsCode } from "../support/errors.ts";
import { bytesOf, KIB, MIB, newCpus, newHeap } from "../support/heaps.ts";
import { assertSound, usedObjects } from "../support/sound.ts";

/** Bytes of the object at p, by the heap's own account. */
function capacity({ pages, kmalloc }: Booted, p: number): number {
  const use = pages.use(p >>> 12);
  if ((use & 3) === USE_LARGE) return (use >>> USE_COUNT_SHIFT) * 4096;
  const cache = slabCacheOf(pages, slabPageAt(pages, p >>> 2));
  return KMALLOC_SIZES[KMALLOC_SIZES.findIndex((_, i) => kmalloc.sets.kmalloc.cacheAt(i) === cache)] ?? 0;
}

test("every size up to 8192 comes from the smallest class that fits, aligned", () => {
  const system = newHeap({ bytes: 2 * MIB });
  for (let bytes = 1; bytes <= 8192; bytes++) {
    const p = system.kmalloc.alloc(bytes);
    const expected = KMALLOC_SIZES.find((size) => size >= bytes);
    assert.equal(capacity(system, p), expected, `${bytes} bytes`);
    assert.equal(kmallocSizeRoundup(bytes), expected);
    assert.equal(
      system.kmalloc.cacheFor(bytes),
      system.kmalloc.sets.kmalloc.cacheAt(KMALLOC_SIZES.indexOf(expected ?? 0)),
    );
    assert.equal(p % (bytes > 2048 ? 4096 : 8), 0);
    system.kmalloc.free(p);
  }
  assertSound(system);
  assert.deepEqual(usedObjects(system), new Map());
});

test("sizes above 8192 are whole pages, exactly as many as needed, up to 64 MiB", () => {
  const system = newHeap({ bytes: 160 * MIB });
  const sizes = [
    8193,
    12288,
    12289,
    100_000,
    128 * KIB,
    128 * KIB + 1,
    MIB,
    5_000_001,
    4 * MIB + 1,
    64 * MIB,
  ];
  for (const bytes of sizes) {
    const p = system.kmalloc.alloc(bytes);
    assert.ok(p > 0 && p % 4096 === 0, `${bytes} bytes`);
    assert.equal(system.pages.held, Math.ceil(bytes / 4096));
    assert.equal(capacity(system, p), kmallocSizeRoundup(bytes));
    assertSound(system);
    system.kmalloc.free(p);
    assert.equal(system.pages.held, 0);
  }
});

test("size 0 is ZERO_SIZE_PTR; freeing that or NULL does nothing", () => {
  const { kmalloc, arena } = newHeap({ bytes: MIB });
  assert.equal(ZERO_SIZE_PTR, 16);
  assert.equal(kmallocSizeRoundup(0), 0);
  changesNothing(arena.words, () => {
    assert.equal(kmalloc.alloc(0), 16);
    assert.equal(kmalloc.alloc(0, GFP_ZERO), 16);
    for (const p of [16, 0, -0, 16]) kmalloc.free(p);
  });
});

test("more than 128 MiB is NULL, as is more than there is, and nothing is taken", () => {
  const { kmalloc, arena, pages } = newHeap({ bytes: MIB });
  changesNothing(arena.words.subarray(0, 1024), () => {
    const sizes = [128 * MIB + 1, 2 ** 32, 2 ** 32 + 8, 2 ** 52, Number.MAX_SAFE_INTEGER, 128 * MIB, 2 * MIB];
    for (const bytes of sizes) assert.equal(kmalloc.alloc(bytes), 0, `${bytes} bytes`);
  });
  assert.equal(pages.held, 0);
  const big = newHeap({ bytes: 300 * MIB }).kmalloc;
  assert.equal(big.alloc(128 * MIB + 1), 0);
  assert.ok(big.alloc(128 * MIB) > 0);
});

const BAD_SIZES = [
  -1,
  -8,
  0.5,
  100.25,
  NaN,
  Infinity,
  -Infinity,
  2 ** 53,
  "8",
  null,
  {},
  [],
  8n,
  true,
  Symbol("8"),
];

test("bad sizes are bad-size, and change nothing", () => {
  const { kmalloc, arena } = newHeap({ bytes: MIB });
  changesNothing(arena.words, () => {
    for (const size of [...BAD_SIZES, undefined]) {
      throwsCode("bad-size", () => kmalloc.alloc(size as number), /^size /);
      throwsCode("bad-size", () => checkSize(size));
    }
  });
  for (const size of [0, 1, 2 ** 53 - 1]) checkSize(size);
});

test("wrong flags are bad-option, and change nothing", () => {
  const { kmalloc, arena } = newHeap({ bytes: MIB });
  changesNothing(arena.words, () => {
    for (const flags of [2, 3, -1, 0x80000000, 1024]) {
      for (const size of [0, 8, 100_000])
        throwsCode("bad-option", () => kmalloc.alloc(size, flags), /GFP_ZERO/);
    }
  });
});

test("flags that are no 32-bit integer are bad-option too", () => {
  const { kmalloc } = newHeap({ bytes: MIB });
  for (const flags of [1.5, 0.5, 2 ** 32, 2 ** 32 + 1, NaN, "1", null, {}]) {
    throwsCode("bad-option", () => kmalloc.alloc(8, flags as number));
  }
});

test("GFP_ZERO zeroes what a former user left, all of it, in every class", () => {
  const sizes = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 60_000 }));
  fc.assert(
    fc.property(fc.array(sizes, { minLength: 1, maxLength: 12 }), (list) => {
      const cpus = newCpus(2, { bytes: 4 * MIB, maxCpus: 2 });
      const bytes = bytesOf(cpus[0]);
      for (let round = 0; round < 3; round++) {
        const out = list.map((size, i) => (cpus[i % 2] ?? cpus[0]).kmalloc.alloc(size, GFP_ZERO));
        out.forEach((p, i) => {
          const object = bytes.subarray(p, p + (list[i] ?? 0));
          assert.ok(p > 0 && object.every((byte) => byte === 0), `round ${round}: ${list[i]} bytes at ${p}`);
        });
        for (const p of out) bytes.fill(0xff, p, p + capacity(cpus[0], p));
        out.forEach((p, i) => {
          (cpus[(i + round) % 2] ?? cpus[0]).kmalloc.free(p);
        });
        assertSound(cpus[0]);
      }
    }),
    { numRuns: 50 },
  );
});

test("GFP_ZERO touches nothing outside the object", () => {
  const { kmalloc, arena } = newHeap({ bytes: MIB });
  const before = kmalloc.alloc(24);
  const [a, b, c] = [kmalloc.alloc(24), kmalloc.alloc(24), kmalloc.alloc(24)] as const;
  const bytes = new Uint8Array(arena.words.buffer);
  for (const p of [before, a, b, c]) bytes.fill(0xee, p, p + 32);
  kmalloc.free(b);
  assert.equal(kmalloc.alloc(24, GFP_ZERO), b);
  for (const p of [before, a, c]) assert.ok(bytes.subarray(p, p + 32).every((byte) => byte === 0xee));
});

test("what fits is what was asked for: objects of any size never overlap", () => {
  const call = fc.tuple(fc.nat(2), fc.oneof(fc.nat(300), fc.nat(50_000)), fc.boolean());
  fc.assert(
    fc.property(fc.array(call, { maxLength: 80 }), (calls) => {
      const cpus = newCpus(3, { bytes: 8 * MIB, maxCpus: 3 });
      const owner = new Int32Array(8 * MIB);
      const live: { p: number; size: number }[] = [];
      calls.forEach(([cpu, size, isFree], i) => {
        const { kmalloc } = cpus[cpu] ?? cpus[0];
        const [victim] = isFree ? live.splice(size % (live.length || 1), 1) : [];
        if (victim) owner.fill(0, victim.p, victim.p + victim.size);
        if (victim) kmalloc.free(victim.p);
        const p = victim ? 0 : kmalloc.alloc(size + 1);
        assert.ok(victim || p > 0);
        if (p !== 0) live.push({ p, size: size + 1 });
        if (p !== 0) assert.ok(owner.subarray(p, p + size + 1).every((taken) => taken === 0));
        if (p !== 0) owner.fill(i + 1, p, p + size + 1);
        assertSound(cpus[0]);
      });
      for (const { p } of live) cpus[2]?.kmalloc.free(p);
      assertSound(cpus[0]);
      assert.deepEqual(usedObjects(cpus[0]), new Map());
    }),
    { numRuns: 60 },
  );
});
