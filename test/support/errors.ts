import assert from "node:assert/strict";
import { SharedHeapError, type SharedHeapErrorCode } from "#src/arena/index.js";
import type { Words } from "#src/sync/primitive.js";

/** `call` throws a SharedHeapError with that code and message. */
export function throwsCode(code: SharedHeapErrorCode, call: () => unknown, message: RegExp = /./): void {
  assert.throws(call, (error) => {
    assert.ok(error instanceof SharedHeapError, `expected a SharedHeapError, got ${String(error)}`);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  });
}

/** `call` returns, or throws a SharedHeapError: nothing else. */
export function onlySharedHeapErrors(call: () => unknown): void {
  try {
    call();
  } catch (error) {
    if (!(error instanceof SharedHeapError)) throw error;
  }
}

/** No word differs after `call`. */
export function changesNothing(words: Words, call: () => unknown): void {
  const before = words.slice();
  call();
  assert.equal(firstDifference(before, words), -1, "index of the first word that changed");
}

function firstDifference(before: Words, after: Words): number {
  const same = Buffer.compare(bytes(before), bytes(after)) === 0;
  return same ? -1 : before.findIndex((word, i) => word !== after[i]);
}

function bytes(words: Words): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}
