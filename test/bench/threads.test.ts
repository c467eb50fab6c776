/** The workloads of several threads, each for a moment, and what is made of their figures. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Run } from "../../bench/results.ts";
import { judge } from "../../bench/threads/bounded.ts";
import type { Measured } from "../../bench/threads/job.ts";
import { threadedResultOf } from "../../bench/threads/run.ts";

const MAIN = fileURLToPath(new URL("../../bench/main.js", import.meta.url));
const WORKLOADS = ["overwrite", "batch", "diff-cpu"];
const SUBJECTS = ["free", "freeRcu", "freeRcu + reader", "pool", "callbacks"];
const TINY = ["--seconds", "0.02", "--processes", "1"];

function run(...argv: string[]) {
  return spawnSync(process.execPath, [MAIN, ...argv], { encoding: "utf8", timeout: 120_000 });
}

test("every workload of several threads runs, and has figures for each subject", () => {
  const { status, stdout, stderr } = run(...WORKLOADS, "bounded", ...TINY, "--json");
  assert.equal(stderr, "");
  assert.equal(status, 0);
  const { workloads, threaded, bounded } = JSON.parse(stdout) as Run;
  assert.deepEqual(workloads, {});
  assert.deepEqual(
    threaded.map(({ workload, subject }) => `${workload} ${subject}`),
    WORKLOADS.flatMap((workload) => SUBJECTS.map((subject) => `${workload} ${subject}`)),
  );
  for (const { rate, average, peak, toPool, toCallbacks } of threaded) {
    for (const spread of [rate, average, peak, toPool, toCallbacks]) assert.ok(spread && spread.median > 0);
  }
  assert.ok(bounded !== undefined && bounded.rate > 0 && bounded.peak > 0);
  assert.ok(bounded.waiting.length > 0);
});

test("the table of a workload, and the line of bounded", () => {
  const { status, stdout } = run("diff-cpu", "bounded", ...TINY, "--threads", "4");
  assert.equal(status, 0);
  assert.match(
    stdout,
    /^diff-cpu, 4 threads: .*\n +subject .* x pool +x callbacks\n( +\S.*\n){5}bounded, 4 threads: /,
  );
  assert.match(stdout, /MiB that wait, each second: .*\n.*(stays flat|GROWS); \d+\.\d\d MiB/);
});

test("ratios are those of a round, memory is in MiB", () => {
  const measured = (rate: number): Measured => ({
    rate,
    looks: [128, 384].map((pages) => ({ pages, waitingBytes: 0 })),
    peakPages: 512,
  });
  const rounds = [
    [100_000, 200_000, 10_000],
    [900_000, 1_000_000, 100_000],
    [40_000, 50_000, 8000],
  ].map(([ours, pool, callbacks]) => {
    return new Map(
      Object.entries({ freeRcu: ours, pool, callbacks }).map(([name, rate]) => [name, measured(rate)]),
    );
  });
  const { rate, toPool, toCallbacks, average, peak } = threadedResultOf("batch", "freeRcu", 2, rounds);
  assert.equal(rate.median, 100);
  assert.equal(toPool.median, 0.8);
  assert.equal(toCallbacks?.median, 9);
  assert.equal(average.median, 1);
  assert.equal(peak.median, 2);
  for (const round of rounds) round.delete("callbacks");
  assert.equal(threadedResultOf("batch", "freeRcu", 2, rounds).toCallbacks, undefined);
});

test("flat is what does not grow from the first third to the last", () => {
  assert.equal(judge([1, 2, 1, 5, 5, 1, 2, 1]).isFlat, true);
  assert.equal(judge([1, 1, 2, 2, 3, 3]).isFlat, false);
  assert.deepEqual(judge([0.01]), { firstThird: 0.01, lastThird: 0.01, isFlat: true });
});
