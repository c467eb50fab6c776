/** All sizes from every context: the counts, and what is made of them. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { SharedHeap } from "sharedheap";
import { unitSize } from "#src/memalloc/sizes.js";
import { goOf } from "../../bench/all-sizes/go.ts";
import { allSizesResultOf, wrongNulls } from "../../bench/all-sizes/run.ts";
import { BUCKETS, isNullWrong, SUBJECTS, subjectName } from "../../bench/all-sizes/subjects.ts";
import type { Run } from "../../bench/results.ts";

const MAIN = fileURLToPath(new URL("../../bench/main.js", import.meta.url));

function run(...argv: string[]) {
  return spawnSync(process.execPath, [MAIN, ...argv], { encoding: "utf8", timeout: 120_000 });
}

test("a payload fills its bucket, and a go takes 128 objects or 32 KiB", () => {
  assert.deepEqual(
    BUCKETS.map(({ objects }) => objects),
    [128, 128, 128, 128, 128, 128, 128, 64, 32, 16, 8],
  );
  for (const { unit, payload } of BUCKETS) assert.equal(unitSize(payload), unit);
});

for (const subject of SUBJECTS) {
  test(`goes in every bucket, ${subjectName(subject)}: all objects come back`, () => {
    const heap = SharedHeap.create({ bytes: 2 ** 24, maxCpus: 1 });
    const go = goOf(heap, subject);
    for (const bucket of BUCKETS) {
      const nulls = [go(bucket), go(bucket)];
      if (isNullWrong(subject)) assert.deepEqual(nulls, [0, 0]);
      else assert.ok(nulls.every((count) => count > 0 && count < bucket.objects));
      heap.checkInvariants();
    }
    for (const { taken, listed } of heap.stats().allocators) assert.equal(taken, listed);
    heap.detach();
  });
}

test("the program counts NULLs in every bucket and context, and there is none where there may be none", () => {
  const { status, stdout, stderr } = run("all-sizes", "--rounds", "1", "--processes", "1", "--json");
  assert.equal(stderr, "");
  assert.equal(status, 0);
  const { allSizes, workloads } = JSON.parse(stdout) as Run;
  assert.deepEqual(workloads, {});
  assert.deepEqual(
    allSizes.map((result) => `${subjectName(result)} ${result.unit}`),
    SUBJECTS.flatMap((subject) => BUCKETS.map(({ unit }) => `${subjectName(subject)} ${unit}`)),
  );
  for (const result of allSizes) {
    assert.ok(result.time.median > 0 && result.ratio.median > 0 && result.allocations > 0);
    assert.equal(result.nulls > 0, !isNullWrong(result));
  }
});

test("one NULL too many is told, with its bucket and where it was", () => {
  const [bucket] = BUCKETS;
  const results = SUBJECTS.map((subject) => {
    return allSizesResultOf(subject, bucket, [
      { samples: [{ reference: 2, subject: 8 }], allocations: 100, nulls: 0 },
      { samples: [{ reference: 2, subject: 6 }], allocations: 100, nulls: 1 },
    ]);
  });
  assert.equal(results[0].time.median, 7);
  assert.equal(results[0].ratio.median, 3.5);
  const told = wrongNulls(results);
  assert.equal(told.length, SUBJECTS.filter(isNullWrong).length);
  assert.equal(told[0], "all-sizes: 1 of 200 allocations of unit 16 returned NULL (task)");
});
