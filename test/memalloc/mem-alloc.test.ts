import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { SharedHeap } from "sharedheap";
import { changesNothing, cpusOf, freeAll, MIB, oneCpu, type Pool, refuses, throwsCode } from "./heaps.ts";

/** Allocates whatever it is asked for, as JavaScript would. */
interface Liar {
  alloc(size?: unknown): number;
  free(p: unknown): void;
}

const BAD_SIZES = [
  -1,
  -8,
  1.5,
  0.1,
  Number.NaN,
  2 ** 53,
  Infinity,
  -Infinity,
  "8",
  "",
  null,
  undefined,
  true,
  {},
  [],
];

describe("alloc", () => {
  test("what is no size is refused, and changes nothing", () => {
    const heap = oneCpu({ bytes: MIB });
    const pool = heap.memAlloc({ name: "any" }) as unknown as Liar;
    for (const size of BAD_SIZES) refuses(heap, "bad-size", () => pool.alloc(size), JSON.stringify(size));
    refuses(heap, "bad-size", () => pool.alloc());
  });

  test("a size above 4088 is NULL, and changes nothing", () => {
    const heap = oneCpu({ bytes: MIB });
    const pool = heap.memAlloc({ name: "any" });
    for (const size of [4089, 4096, 8192, 2 ** 20, 2 ** 31, 2 ** 32, 2 ** 32 + 64, 2 ** 40, 2 ** 53 - 1]) {
      assert.equal(
        changesNothing(heap, () => pool.alloc(size)),
        0,
        String(size),
      );
    }
  });

  test("size 0 is ZERO_SIZE_PTR, and changes nothing", () => {
    const heap = oneCpu({ bytes: MIB });
    const pool = heap.memAlloc({ name: "any" });
    for (const size of [0, -0])
      assert.equal(
        changesNothing(heap, () => pool.alloc(size)),
        16,
      );
  });

  test("offsets are multiples of 8, and objects of any two sizes keep apart", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 4088 }), { minLength: 2, maxLength: 60 });
    const heap = oneCpu({ bytes: 8 * MIB });
    const pool = heap.memAlloc({ name: "any" });
    fc.assert(
      fc.property(sizes, (list) => {
        const objects = list.map((size) => ({ p: pool.alloc(size), size })).sort((a, b) => a.p - b.p);
        objects.forEach(({ p, size }, i) => {
          assert.ok(p > 0 && p % 8 === 0);
          if (i + 1 < objects.length) assert.ok(p + size <= objects[i + 1].p - 8);
        });
        freeAll(pool, objects.map(({ p }) => p).reverse());
        heap.checkInvariants();
      }),
    );
  });
});

describe("after detach", () => {
  const calls: [string, (pool: Liar) => unknown][] = [
    ["alloc", (pool) => pool.alloc(64)],
    ["alloc(0)", (pool) => pool.alloc(0)],
    ["alloc, too large", (pool) => pool.alloc(5000)],
    ["free of what never was an object", (pool) => pool.free(4104)],
  ];
  const makers: [string, (heap: SharedHeap) => Pool][] = [
    ["any size", (heap) => heap.memAlloc({ name: "pool" })],
    ["fixed size", (heap) => heap.memCache({ name: "pool", size: 64 })],
  ];
  for (const [kind, make] of makers) {
    for (const [name, call] of calls) {
      test(`${kind}: ${name} is refused, whether the CPU is free or another thread's`, () => {
        const [a, b] = cpusOf(2, { bytes: MIB });
        const pool = make(b) as unknown as Liar;
        b.detach();
        throwsCode("detached", () => call(pool));
        const next = make(SharedHeap.attach(a.token));
        refuses(a, "detached", () => call(pool));
        assert.notEqual(next.alloc(64), 0);
        a.checkInvariants();
      });
    }

    test(`${kind}: free of an object is refused, and another thread can free it`, () => {
      const [a, b] = cpusOf(2, { bytes: MIB });
      const pool = make(b);
      const p = pool.alloc(64);
      b.detach();
      refuses(a, "detached", () => pool.free(p));
      make(a).free(p);
      a.checkInvariants();
    });
  }
});
