/** Medians and quartiles, and what is made of samples. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { resultOf } from "../../bench/run.ts";
import { spreadOf } from "../../bench/statistics.ts";

test("the median and the middle half", () => {
  assert.deepEqual(spreadOf([5, 1, 3, 2, 4]), { median: 3, low: 2, high: 4 });
  assert.deepEqual(spreadOf([4, 1, 3, 2]), { median: 2.5, low: 1.75, high: 3.25 });
  assert.deepEqual(spreadOf([7]), { median: 7, low: 7, high: 7 });
});

test("the ratio is the median of the rounds' ratios, so a slow round counts once", () => {
  const samples = [
    { reference: 1, subject: 3 },
    { reference: 2, subject: 6 },
    { reference: 10, subject: 30 },
    { reference: 1, subject: 90 },
    { reference: 90, subject: 1 },
  ];
  const result = resultOf("pair64", "MemAlloc", samples);
  assert.equal(result.ratio.median, 3);
  assert.equal(result.target, 3.5);
  assert.equal(result.met, true);
});

test("only pair64 has targets", () => {
  const slow = [{ reference: 1, subject: 9 }];
  assert.equal(resultOf("pair64", "MemCache", slow).met, false);
  assert.equal("target" in resultOf("pair64", "kmalloc", slow), false);
  assert.equal("target" in resultOf("larson1", "MemAlloc", slow), false);
});
