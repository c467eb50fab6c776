import assert from "node:assert/strict";
import { test } from "node:test";
import { allocMany, booksOf, freeAll, oneCpu } from "./heaps.ts";

const SIZES = [
  1, 7, 8, 9, 16, 24, 56, 57, 88, 89, 120, 248, 249, 504, 1000, 2040, 3000, 4088, 4089, 5000, 8000, 8184,
];

for (const size of SIZES) {
  test(`objects of ${size} bytes are whole, apart from each other, and come back`, () => {
    const heap = oneCpu();
    const pool = heap.memCache({ name: "fixed", size });
    assert.equal(pool.size, size);
    const objects = allocMany(pool, size, 130);
    objects.forEach((p, i) => {
      assert.ok(p > 0 && p % 8 === 0);
      heap.u8.fill(i, p, p + size);
    });
    objects.forEach((p, i) => {
      assert.ok(
        heap.u8.subarray(p, p + size).every((byte) => byte === i),
        `object ${i}`,
      );
    });
    heap.checkInvariants();
    assert.equal(booksOf(heap, "fixed").out, 130);
    freeAll(pool, objects);
    assert.equal(booksOf(heap, "fixed").out, 0);
    heap.checkInvariants();
  });
}

test("every size from 1 to 8184 can be had", () => {
  for (let size = 1; size <= 8184; size += 61) {
    const heap = oneCpu({ bytes: 2 ** 20 });
    const p = heap.memCache({ name: "fixed", size }).alloc();
    assert.ok(p > 0, `size ${size}`);
    assert.ok(
      heap.u8.subarray(p, p + size).every((byte) => byte === 0),
      `size ${size}: new objects are zero`,
    );
  }
});

test("alloc takes no argument and ignores any", () => {
  const pool = oneCpu().memCache({ name: "fixed", size: 64 }) as unknown as { alloc(size: unknown): number };
  for (const size of [-1, Number.NaN, "x", 10_000]) assert.notEqual(pool.alloc(size), 0);
});
