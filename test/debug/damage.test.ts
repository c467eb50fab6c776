/** Random writes beside what a program may touch: each is found, where it was, and nothing else is. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { SharedHeap } from "sharedheap";
import { ZONE_MAX_BYTES } from "#src/debug/layout.js";
import { randomFrom } from "../support/random.ts";
import { debugHeap, MIB, says, waysOf } from "./support.ts";

const WAYS = 7;

/** An object, live or freed, and a byte of it or beside it. */
const damage = fc.record({
  way: fc.nat(WAYS - 1),
  size: fc.integer({ min: 1, max: 2000 }),
  isFreed: fc.boolean(),
  /** Where: in front, inside, behind; by how much of what there is. */
  where: fc.constantFrom("front" as const, "inside" as const, "behind" as const),
  share: fc.integer({ min: 0, max: 999 }),
  flip: fc.integer({ min: 1, max: 255 }),
});

describe("one byte that is changed", () => {
  test("in a zone, or in a freed object, is found: which, and how", () => {
    fc.assert(
      fc.property(damage, fc.nat(2 ** 30), ({ way, size, isFreed, where, share, flip }, seed) => {
        const heap = debugHeap();
        const neighbours = crowd(heap, seed);
        const { name, alloc, free } = waysOf(heap, size)[way];
        const p = alloc(size);
        // a slab cache's objects have 8 bytes at least
        const bytes = name === "kmemCache" ? Math.max(size, 8) : size;
        if (isFreed) free(p);
        const range = { front: [-16, 0], inside: [0, bytes], behind: [bytes, bytes + 16] }[where];
        const at = range[0] + Math.floor((share / 1000) * (range[1] - range[0]));
        heap.u8[p + at] ^= flip;
        const problems = heap.verify();
        if (where === "inside" && !isFreed) assert.deepEqual(problems, []);
        else {
          assert.equal(problems.length, 1, problems.join("\n"));
          says(problems[0], `from offset ${at} on`, `object at ${p} (${bytes} bytes)`);
          assert.equal(problems[0].includes("freed at"), isFreed);
        }
        heap.u8[p + at] ^= flip;
        if (!isFreed) free(p);
        for (const each of neighbours) heap.free(each);
        heap.detach();
        assert.deepEqual(heap.verify(), []);
      }),
      { numRuns: 150 },
    );
  });

  test("far behind the end of a large object, as far as the zone goes", () => {
    const heap = debugHeap();
    for (const bytes of [5000, 9000, 40_000]) {
      const p = heap.kmalloc(bytes);
      const end = Math.min(p + bytes + ZONE_MAX_BYTES, Math.ceil((p + bytes + 16) / 4096) * 4096);
      heap.u8[end - 1] ^= 1;
      says(heap.verify().join(), `overrun: from offset ${end - 1 - p} on`);
      heap.u8[end - 1] ^= 1;
      heap.u8[p - 16] ^= 1;
      says(heap.verify().join(), "underrun: from offset -16 on");
      heap.u8[p - 16] ^= 1;
      heap.kfree(p);
    }
    assert.deepEqual(heap.verify(), []);
  });
});

describe("a heap that is scribbled over", () => {
  test("verify and stats come to an end, and throw nothing", () => {
    for (let seed = 0; seed < 40; seed++) {
      const heap = debugHeap({ bytes: MIB });
      crowd(heap, seed);
      const random = randomFrom(seed);
      const first = 1024 + 4096 * (seed % 2);
      for (let i = 0; i < 400; i++) {
        const at = first + random(heap.i32.length - first);
        heap.i32[at] = [random(2 ** 31), -1, 0, random(heap.i32.length)][random(4)];
      }
      assert.ok(heap.verify().length > 0, `seed ${seed}`);
    }
  });
});

describe("memory that a heap was in before", () => {
  test("is no object of the next one there", () => {
    const memory = { buffer: new SharedArrayBuffer(MIB) };
    const old = SharedHeap.create({ memory, maxCpus: 1, turns: false, debug: true });
    for (let i = 0; i < 200; i++) old.u8[old.kmalloc(100) + 100] = 1;
    assert.ok(old.verify().length > 0);
    const next = SharedHeap.create({ memory, maxCpus: 1, turns: false, debug: true });
    next.kfree(next.kmalloc(100));
    assert.deepEqual(next.verify(), []);
  });
});

/** Objects of many sizes, some of them freed. Returns those that are out, which heap.free takes. */
function crowd(heap: SharedHeap, seed: number): number[] {
  const random = randomFrom(seed);
  const objects = Array.from({ length: 60 }, () => heap.malloc(1 + random(random(2) === 0 ? 100 : 5000)));
  for (let i = 0; i < 30; i++) heap.free(objects.splice(random(objects.length), 1)[0]);
  return objects;
}
