/** Times in buckets, and what is read from them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  bucketOf,
  Histogram,
  merged,
  octavesOf,
  quantileOf,
  startOf,
  totalOf,
} from "../../bench/latency/histogram.ts";

const time = fc.oneof(fc.nat(100), fc.nat(100_000), fc.nat(2 ** 31 - 1));

function recorded(times: readonly number[]) {
  const histogram = new Histogram();
  for (const each of times) histogram.record(each);
  return histogram.recorded;
}

test("a time is in the bucket that it lies in, which is at most a sixteenth of it wide", () => {
  fc.assert(
    fc.property(time, (t) => {
      const bucket = bucketOf(t);
      assert.ok(startOf(bucket) <= t && t < startOf(bucket + 1));
      assert.ok(startOf(bucket + 1) - startOf(bucket) <= Math.max(1, t / 16));
    }),
  );
});

test("what is out of range goes into the first bucket and the last one", () => {
  assert.equal(bucketOf(-3), 0);
  assert.equal(bucketOf(1e15), bucketOf(2 ** 32 - 1));
  const { counts, max } = recorded([1e15]);
  assert.equal(counts.length - 1, bucketOf(1e15));
  assert.equal(max, 1e15);
});

test("a quantile is the exact one or a sixteenth more, and never above the maximum", () => {
  const shares = fc.constantFrom(0, 0.5, 0.9, 0.99, 0.9999, 1);
  fc.assert(
    fc.property(fc.array(time, { minLength: 1, maxLength: 300 }), shares, (times, share) => {
      const sorted = times.toSorted((a, b) => a - b);
      const exact = sorted[Math.max(0, Math.ceil(share * times.length) - 1)];
      const found = quantileOf(recorded(times), share);
      assert.ok(found >= exact && found <= exact * (1 + 1 / 16), `${found} for ${exact}`);
      assert.ok(found <= sorted[sorted.length - 1]);
    }),
  );
});

test("histograms of two processes add up to that of both", () => {
  fc.assert(
    fc.property(fc.array(time), fc.array(time), (a, b) => {
      assert.deepEqual(merged([recorded(a), recorded(b)]), recorded([...a, ...b]));
    }),
  );
});

test("octaves hold every sample once, where they belong", () => {
  assert.deepEqual(
    octavesOf(recorded([0, 1, 2, 3, 3, 4, 1023, 1024, 1024])),
    [2, 3, 1, 0, 0, 0, 0, 0, 0, 1, 2],
  );
  fc.assert(
    fc.property(fc.array(time, { minLength: 1 }), (times) => {
      const octaves = octavesOf(recorded(times));
      for (const [n, count] of octaves.entries()) {
        const own = times.filter((t) => t < 2 ** (n + 1) && (t >= 2 ** n || n === 0));
        assert.equal(count, own.length);
      }
      assert.equal(totalOf(recorded(times)), times.length);
    }),
  );
});

test("cleared, it is as new", () => {
  const histogram = new Histogram();
  histogram.record(77);
  histogram.clear();
  assert.deepEqual(histogram.recorded, { counts: [], max: 0 });
});
