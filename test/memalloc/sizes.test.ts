import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CACHE_WORDS } from "#src/memalloc/layout.js";
import { bucketOf, cacheTable, UNIT_SIZES, unitSize, watermarksOf } from "#src/memalloc/sizes.js";
import { homeOf, oneCpu } from "./heaps.ts";

const UNITS = [16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096];

/** The smallest unit for a payload of `bytes`, the slow way. */
function unitFor(bytes: number): number {
  return UNITS.find((unit) => unit >= bytes + 8) as number;
}

test("the buckets are the kernel's", () => {
  assert.deepEqual(UNIT_SIZES, UNITS);
});

test("every size from 0 to 4200 goes to the smallest bucket that holds it and a header", () => {
  const table = cacheTable(1000);
  for (let bytes = 1; bytes <= 4088; bytes++) {
    assert.equal(unitSize(bytes), unitFor(bytes), `size ${bytes}`);
    assert.equal(UNITS[bucketOf(bytes)], unitFor(bytes), `size ${bytes}`);
    assert.equal(table[(bytes + 7) >>> 3], 1000 + bucketOf(bytes) * CACHE_WORDS, `size ${bytes}`);
  }
  assert.equal(unitSize(0), 0);
  for (let bytes = 4089; bytes <= 4200; bytes++) assert.equal(unitSize(bytes), -1, `size ${bytes}`);
});

test("alloc takes every size from 0 to 4200 from its bucket, with that many bytes to use", () => {
  const heap = oneCpu();
  const pool = heap.memAlloc({ name: "any" });
  const caches = new Map<number, number>();
  assert.equal(pool.alloc(0), 16);
  for (let bytes = 1; bytes <= 4088; bytes++) {
    const p = pool.alloc(bytes);
    const q = pool.alloc(bytes);
    const unit = unitFor(bytes);
    assert.ok(p !== 0 && q !== 0 && p % 8 === 0, `size ${bytes}`);
    assert.ok(Math.abs(p - q) >= unit, `size ${bytes}: objects at ${p} and ${q}`);
    const cache = homeOf(heap, p);
    assert.equal(caches.get(unit) ?? cache, cache, `size ${bytes}`);
    caches.set(unit, cache);
    heap.u8.fill(0xff, p, p + bytes);
    heap.u8.fill(0xee, q, q + bytes);
    assert.ok(heap.u8.subarray(p, p + bytes).every((byte) => byte === 0xff));
    pool.free(p);
    pool.free(q);
  }
  for (let bytes = 4089; bytes <= 4200; bytes++) assert.equal(pool.alloc(bytes), 0, `size ${bytes}`);
  assert.equal(caches.size, 11);
  heap.checkInvariants();
});

test("the watermarks of every bucket", () => {
  const small = { low: 32, high: 96, batch: 48, prefill: 4 };
  for (const unit of UNITS.filter((bytes) => bytes <= 256)) assert.deepEqual(watermarksOf(unit), small);
  assert.deepEqual(watermarksOf(512), { low: 16, high: 48, batch: 24, prefill: 1 });
  assert.deepEqual(watermarksOf(1024), { low: 8, high: 24, batch: 12, prefill: 1 });
  assert.deepEqual(watermarksOf(2048), { low: 4, high: 12, batch: 6, prefill: 1 });
  assert.deepEqual(watermarksOf(4096), { low: 2, high: 6, batch: 3, prefill: 1 });
});

test("the watermarks of other fixed sizes", () => {
  assert.deepEqual(watermarksOf(248), { low: 32, high: 96, batch: 48, prefill: 4 });
  assert.deepEqual(watermarksOf(264), { low: 31, high: 93, batch: 45, prefill: 1 });
  assert.deepEqual(watermarksOf(3000), { low: 2, high: 8, batch: 3, prefill: 1 });
  assert.deepEqual(watermarksOf(8184), { low: 1, high: 3, batch: 1, prefill: 1 });
  assert.deepEqual(watermarksOf(8192), { low: 1, high: 3, batch: 1, prefill: 1 });
});

test("the watermarks of any unit leave room for a batch between them", () => {
  const units = fc.integer({ min: 2, max: 1024 }).map((words) => words * 8);
  fc.assert(
    fc.property(units, (unit) => {
      const { low, high, batch, prefill } = watermarksOf(unit);
      assert.ok(prefill >= 1 && low >= 1 && batch >= 1 && low < high);
      assert.ok(low - 1 + batch <= high, "a refill never makes a trim necessary");
      if (unit > 256) assert.ok(high * unit <= 24576 || high === 3, `${high} objects of ${unit} bytes`);
    }),
  );
});
