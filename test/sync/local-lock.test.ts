import assert from "node:assert/strict";
import { test } from "node:test";
import { isLocked, localTryLock, localUnlock } from "#src/sync/index.js";

test("whoever comes while it is locked is told so, and changes nothing", () => {
  const words = new Int32Array(4);
  assert.equal(isLocked(words, 2), false);
  assert.equal(localTryLock(words, 2), true);
  assert.equal(localTryLock(words, 2), false);
  assert.equal(isLocked(words, 2), true);
  localUnlock(words, 2);
  assert.equal(isLocked(words, 2), false);
  assert.equal(localTryLock(words, 2), true);
});

test("two locks know nothing of each other", () => {
  const words = new Int32Array(4);
  assert.equal(localTryLock(words, 1), true);
  assert.equal(localTryLock(words, 3), true);
  localUnlock(words, 1);
  assert.deepEqual([isLocked(words, 1), isLocked(words, 3)], [false, true]);
});
