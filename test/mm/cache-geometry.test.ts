import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type CacheShape, initCache } from "#src/mm/index.js";
import * as at from "#src/mm/layout.js";

const shape = fc.record({
  size: fc.oneof(fc.integer({ min: 8, max: 8192 }), fc.constantFrom(8, 9, 4096, 4097, 8191, 8192)),
  align: fc.integer({ min: 3, max: 12 }).map((shift) => 2 ** shift),
  hasConstructor: fc.boolean(),
  isTypesafe: fc.boolean(),
});

function wordsOf(given: CacheShape): Int32Array {
  const words = new Int32Array(at.CACHE_WORDS);
  initCache(words, 0, given, 77);
  return words;
}

test("objects fit their unit, units are aligned, slabs hold their objects", () => {
  fc.assert(
    fc.property(shape, (given) => {
      const words = wordsOf(given);
      const unit = (words[at.CACHE_UNIT_WORDS] as number) * 4;
      const objects = words[at.CACHE_OBJECTS] as number;
      const bytes = (words[at.CACHE_PAGES] as number) * 4096;
      const link = (words[at.CACHE_LINK] as number) * 4;
      assert.ok(unit >= given.size && unit % given.align === 0 && Number.isInteger(unit / 4));
      assert.ok(unit < given.size + 4 + 4 + given.align, "no more than rounding and the link need");
      assert.ok(objects >= 1 && objects <= at.MAX_OBJECTS && objects * unit <= bytes);
      assert.ok(objects === Math.min(Math.floor(bytes / unit), at.MAX_OBJECTS));
      assert.ok(
        given.hasConstructor || given.isTypesafe ? link >= given.size && link + 4 <= unit : link === 0,
      );
    }),
    { numRuns: 1000 },
  );
});

test("at most an eighth of a slab is wasted, or it has eight pages", () => {
  fc.assert(
    fc.property(shape, (given) => {
      const words = wordsOf(given);
      const pages = words[at.CACHE_PAGES] as number;
      const used = (words[at.CACHE_OBJECTS] as number) * (words[at.CACHE_UNIT_WORDS] as number) * 4;
      assert.ok(pages >= 1 && pages <= 8);
      assert.ok(pages === 8 || (pages * 4096 - used) * 8 <= pages * 4096);
    }),
  );
});

test("the cache remembers what it was made with", () => {
  fc.assert(
    fc.property(shape, (given) => {
      const words = wordsOf(given);
      assert.equal(words[at.CACHE_SIZE_BYTES], given.size);
      assert.equal(words[at.CACHE_PERCPU], 77);
      const flags = words[at.CACHE_FLAGS] as number;
      assert.equal((flags & at.FLAG_CONSTRUCTOR) !== 0, given.hasConstructor);
      assert.equal((flags & at.FLAG_TYPESAFE_BY_RCU) !== 0, given.isTypesafe);
    }),
  );
});
