/** The latency workload for a moment, and what is made of its figures. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Histogram } from "../../bench/latency/histogram.ts";
import { renderLatency } from "../../bench/latency/report.ts";
import { latencyResultOf } from "../../bench/latency/run.ts";
import type { Run } from "../../bench/results.ts";

const MAIN = fileURLToPath(new URL("../../bench/main.js", import.meta.url));

function run(...argv: string[]) {
  return spawnSync(process.execPath, [MAIN, ...argv], { encoding: "utf8", timeout: 120_000 });
}

function measured(ours: readonly number[], control: readonly number[]) {
  const recorded = (times: readonly number[]) => {
    const histogram = new Histogram();
    for (const time of times) histogram.record(time);
    return histogram.recorded;
  };
  const seen = { ours: recorded(ours), control: recorded(control), nulls: 1, collections: 2 };
  return { seen, rate: 5000 };
}

test("both loops are measured as often, with no NULL and no garbage collection in a sample", () => {
  const { status, stdout, stderr } = run("latency", "--quick", "--threads", "1", "--json");
  assert.equal(stderr, "");
  assert.equal(status, 0);
  const { latency, workloads } = JSON.parse(stdout) as Run;
  assert.deepEqual(workloads, {});
  assert.ok(latency !== undefined && latency.rate > 0);
  assert.equal(latency.threads, 1);
  assert.equal(latency.nulls, 0);
  assert.equal(latency.collections, 0);
  const [ours, control] = latency.distributions;
  assert.deepEqual([ours.subject, control.subject], ["alloc, free", "control"]);
  assert.equal(ours.samples, control.samples);
  for (const { samples, p50, p99, p9999, max, histogram } of [ours, control]) {
    assert.ok(0 < p50 && p50 <= p99 && p99 <= p9999 && p9999 <= max);
    assert.equal(
      histogram.reduce((total, count) => total + count, 0),
      samples,
    );
  }
});

test("processes are added up: samples, NULLs, collections, the longest", () => {
  const result = latencyResultOf(3, [measured([10, 20], [5, 5]), measured([30, 3000], [5, 7])]);
  const [ours, control] = result.distributions;
  assert.deepEqual([result.processes, result.nulls, result.collections, result.rate], [2, 2, 4, 5]);
  assert.deepEqual([ours.samples, ours.p50, ours.p99, ours.max], [4, 20, 3000, 3000]);
  assert.deepEqual([control.samples, control.p50, control.p99, control.max], [4, 5, 7, 7]);
});

test("the histogram begins with the first octave that has a sample, and has one bar for each loop", () => {
  const result = latencyResultOf(2, [measured([40, 41, 50, 300], [40])]);
  const lines = renderLatency(result).split("\n");
  const first = lines.findIndex((line) => line.includes("from"));
  assert.match(lines[1], /2 other threads, 5 thousand operations a second each; 1 NULLs, 2 garbage/);
  assert.deepEqual(
    lines.slice(first + 1, -1).map((line) => line.trim().split(/ +/)),
    [
      ["32", "63", "3", "##", "1", "#"],
      ["64", "127", "0", "0"],
      ["128", "255", "0", "0"],
      ["256", "511", "1", "#", "0"],
    ],
  );
});
