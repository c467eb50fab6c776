/** Medians and quartiles, and what is made of samples. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { measure, type Sample } from "../../bench/measure.ts";
import { resultOf } from "../../bench/run.ts";
import { spreadOf } from "../../bench/statistics.ts";
import { WORKLOADS, workloadNamed } from "../../bench/workloads/list.ts";

test("the median and the middle half", () => {
  assert.deepEqual(spreadOf([5, 1, 3, 2, 4]), { median: 3, low: 2, high: 4, min: 1, max: 5 });
  assert.deepEqual(spreadOf([4, 1, 3, 2]), { median: 2.5, low: 1.75, high: 3.25, min: 1, max: 4 });
  assert.deepEqual(spreadOf([7]), { median: 7, low: 7, high: 7, min: 7, max: 7 });
});

test("the ratio is the median of the rounds' ratios, so a slow round counts once", () => {
  const samples = [
    { reference: 1, subject: 3 },
    { reference: 2, subject: 6 },
    { reference: 10, subject: 30 },
    { reference: 1, subject: 90 },
    { reference: 90, subject: 1 },
  ];
  const measured = result("pair64", "MemAlloc", samples);
  assert.equal(measured.ratio.median, 3);
  assert.equal(measured.target, 3);
  assert.equal(measured.met, true);
});

test("a loop that is too slow for all rounds gets five of them", () => {
  const slow = (operations: number) => {
    const end = performance.now() + operations / 50;
    while (performance.now() < end);
  };
  const fast = (operations: number) => void Array.from({ length: operations / 100 });
  assert.equal(measure(fast, fast, 7).length, 7);
  assert.equal(measure(fast, slow, 1000, 50).length, 5);
});

test("a miss is seen, and where there is no target none is", () => {
  const slow = [{ reference: 1, subject: 9 }];
  assert.equal(result("pair64", "MemCache", slow).met, false);
  assert.equal(result("rcu-lock", "heap.rcu", slow).met, false);
  assert.equal("target" in result("pair64", "kmalloc", slow), false);
  assert.equal("target" in result("larson1", "MemAlloc", slow), false);
  const named = WORKLOADS.filter(({ contestants }) => contestants.some(({ target }) => target !== undefined));
  assert.deepEqual(
    named.map(({ name }) => name),
    ["pair64", "free-rcu", "rcu-lock", "memcg", "guards"],
  );
});

function result(workload: string, subject: string, samples: readonly Sample[]) {
  const found = workloadNamed(workload);
  const contestant = found?.contestants.find(({ name }) => name === subject);
  assert.ok(found !== undefined && contestant !== undefined);
  return resultOf(found, contestant, samples);
}
