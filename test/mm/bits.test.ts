import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { findRun, popcount, runMask } from "#src/mm/bits.js";

/** Words of any kind: random ones, ones with long runs, nearly empty and nearly full ones. */
const runs = fc
  .array(fc.tuple(fc.nat(31), fc.integer({ min: 1, max: 32 })), { maxLength: 4 })
  .map((list) => list.reduce((bits, [at, count]) => bits | naiveMask(at, Math.min(count, 32 - at)), 0));
const word = fc.oneof(
  fc.integer(),
  runs,
  runs.map((bits) => ~bits),
  fc.constantFrom(0, -1, 1, -(2 ** 31)),
);

function isSet(bits: number, at: number): boolean {
  return Math.floor((bits >>> 0) / 2 ** at) % 2 === 1;
}

function naiveMask(at: number, count: number): number {
  let mask = 0;
  for (let i = at; i < at + count; i++) mask += 2 ** i;
  return mask | 0;
}

function naiveRun(bits: number, count: number): number {
  for (let at = 0; at + count <= 32; at++) {
    if (Array.from({ length: count }, (_, i) => isSet(bits, at + i)).every(Boolean)) return at;
  }
  return -1;
}

test("findRun finds the lowest run", () => {
  const count = fc.integer({ min: 1, max: 32 });
  const same = (bits: number, length: number): void =>
    assert.equal(findRun(bits, length), naiveRun(bits, length));
  fc.assert(fc.property(word, count, same), { numRuns: 2000 });
});

test("findRun at its limits", () => {
  for (let count = 1; count <= 32; count++) {
    assert.equal(findRun(-1, count), 0);
    assert.equal(findRun(0, count), -1);
    assert.equal(findRun(naiveMask(32 - count, count), count), 32 - count);
    if (count > 1) assert.equal(findRun(naiveMask(32 - count, count - 1), count), -1);
  }
});

test("runMask sets exactly those bits", () => {
  for (let at = 0; at < 32; at++) {
    for (let count = 1; at + count <= 32; count++) assert.equal(runMask(at, count), naiveMask(at, count));
  }
});

test("popcount counts", () => {
  const naive = (bits: number): number =>
    Array.from({ length: 32 }, (_, at) => isSet(bits, at)).filter(Boolean).length;
  fc.assert(fc.property(word, (bits) => assert.equal(popcount(bits), naive(bits))));
});
