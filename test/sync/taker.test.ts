import assert from "node:assert/strict";
import { test } from "node:test";
import { releaseTaker, tryTake } from "#src/sync/index.js";

test("one holder at a time, and the word names it", () => {
  const words = new Int32Array(2);
  assert.equal(tryTake(words, 1, 77), true);
  assert.equal(tryTake(words, 1, 78), false);
  assert.equal(tryTake(words, 1, 77), false, "not even its holder gets it twice");
  assert.equal(words[1], 77);
  releaseTaker(words, 1);
  assert.equal(words[1], 0);
  assert.equal(tryTake(words, 1, 78), true);
  assert.equal(words[1], 78);
});
