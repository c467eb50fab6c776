import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  isObjectStart,
  isOffset,
  KMALLOC_SIZES,
  slabCacheOf,
  slabPageAt,
  slabPageOfOwn,
} from "#src/mm/index.js";
import { newHeap } from "../support/heaps.ts";

test("every word of a slab leads to its slab and cache; only starts of objects are starts", () => {
  fc.assert(
    fc.property(
      fc.nat(KMALLOC_SIZES.length - 1),
      fc.integer({ min: 1, max: 40 }),
      fc.nat(2047),
      (index, count, word) => {
        const { kmalloc, pages } = newHeap();
        const size = KMALLOC_SIZES[index] as number;
        const starts = Array.from({ length: count }, () => kmalloc.alloc(size) >>> 2);
        for (const start of starts) {
          const page = slabPageAt(pages, start);
          assert.equal(slabPageAt(pages, start + (word % (size / 4))), page);
          assert.equal(slabPageOfOwn(pages, start + (word % (size / 4))), page);
          assert.equal(slabCacheOf(pages, page), kmalloc.sets.kmalloc.cacheAt(index));
          assert.equal(isObjectStart(pages, page, start), true);
          assert.equal(isObjectStart(pages, page, start + (word % (size / 4))), word % (size / 4) === 0);
        }
      },
    ),
  );
});

test("the unused end of a slab holds no object", () => {
  const { kmalloc, pages } = newHeap();
  const page = slabPageAt(pages, kmalloc.alloc(96) >>> 2);
  const objects = Math.floor(4096 / 96);
  assert.equal(isObjectStart(pages, page, pages.address(page) + (objects - 1) * 24), true);
  assert.equal(isObjectStart(pages, page, pages.address(page) + objects * 24), false);
});

test("words of free pages, large blocks and the tables lie in no slab", () => {
  const { kmalloc, pages, firstPage } = newHeap();
  const large = pages.pageAt(kmalloc.alloc(20_000) >>> 2);
  for (const page of [0, 1, firstPage - 1, large, large + 1, large + 4, pages.total - 1]) {
    assert.equal(slabPageAt(pages, pages.address(page)), 0, `page ${page}`);
    assert.equal(slabPageOfOwn(pages, pages.address(page)), 0, `page ${page}`);
  }
});

test("an offset is an integer in the heap, behind the header, aligned to 8", () => {
  const { pages } = newHeap({ bytes: 2 ** 20 });
  for (const good of [4096, 4104, 2 ** 20 - 8]) assert.equal(isOffset(pages, good), true);
  const bad = [0, 8, 16, 4088, 4097, 4100, 4096.5, 2 ** 20, 2 ** 32 + 4096, 2 ** 53, -8, NaN, Infinity];
  for (const value of [...bad, "4096", null, undefined, {}, [4096], 4096n, Symbol("p")]) {
    assert.equal(isOffset(pages, value), false, String(value));
  }
});
