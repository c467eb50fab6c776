import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LINE_WORDS, WORD_SHIFT } from "#src/sync/layout.js";
import {
  cmpxchg,
  fetchAdd,
  fetchOr,
  loadAcquire,
  storeRelease,
  viewWords,
  xchg,
  zeroPrivate,
} from "#src/sync/primitive.js";

test("a word is four bytes, a line 64", () => {
  assert.equal(1 << WORD_SHIFT, Int32Array.BYTES_PER_ELEMENT);
  assert.equal(LINE_WORDS << WORD_SHIFT, 64);
});

test("a view begins where it is told and is as long as it is told", () => {
  const bytes = new Uint8Array(new SharedArrayBuffer(64)).fill(7);
  viewWords(bytes.buffer, 8, 3).fill(0);
  assert.deepEqual(
    [...bytes].map((byte, at) => (byte === 0 ? at : -1)).filter((at) => at >= 0),
    Array.from({ length: 12 }, (_, i) => i + 8),
  );
});

test("the accessors that change a word return what it was", () => {
  const words = viewWords(new SharedArrayBuffer(8), 0, 2);
  storeRelease(words, 1, -5);
  assert.equal(xchg(words, 1, 6), -5);
  assert.equal(fetchAdd(words, 1, -2), 6);
  assert.equal(fetchOr(words, 1, 3), 4);
  assert.equal(cmpxchg(words, 1, 4, 9), 7, "another value is left alone");
  assert.equal(loadAcquire(words, 1), 7);
  assert.equal(cmpxchg(words, 1, 7, 9), 7);
  assert.deepEqual([...words], [0, 9]);
});

test("zeroPrivate zeroes its range and nothing else", () => {
  fc.assert(
    fc.property(fc.nat(100), fc.nat(100), (from, count) => {
      const words = new Int32Array(256).fill(-1);
      zeroPrivate(words, from, count);
      words.forEach((word, at) => {
        assert.equal(word, at >= from && at < from + count ? 0 : -1);
      });
    }),
  );
});
