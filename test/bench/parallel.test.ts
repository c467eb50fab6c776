/** Two threads at once, and more and more of them: each for a moment, and what is made of the figures. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { timeOf } from "../../bench/parallel/job.ts";
import { renderScale } from "../../bench/parallel/report.ts";
import { RING_WORDS, Ring } from "../../bench/parallel/ring.ts";
import { parallelResultOf } from "../../bench/parallel/run.ts";
import { hasFallen, keptOf, type Point } from "../../bench/parallel/scale.ts";
import { Swaps, swapWords } from "../../bench/parallel/swaps.ts";
import type { Run } from "../../bench/results.ts";
import { spreadOf } from "../../bench/statistics.ts";

const MAIN = fileURLToPath(new URL("../../bench/main.js", import.meta.url));
const TINY = ["--seconds", "0.02", "--processes", "1"];
const OURS = ["sharedheap", "MemCache", "kmalloc"];

function run(...argv: string[]) {
  return spawnSync(process.execPath, [MAIN, ...argv], { encoding: "utf8", timeout: 120_000 });
}

// each process checks the heap's invariants, and that nothing is left that was to be freed by the other thread
test("the workloads of two threads run, and have figures for each subject", () => {
  const { status, stdout, stderr } = run("larson2", "xthread", "pair64x2", ...TINY, "--json");
  assert.equal(stderr, "");
  assert.equal(status, 0);
  const { workloads } = JSON.parse(stdout) as Run;
  const measured = Object.entries(workloads).map(([name, entries]) => [name, Object.keys(entries)]);
  assert.deepEqual(Object.fromEntries(measured), {
    larson2: ["sharedheap", "kmalloc"],
    xthread: OURS,
    pair64x2: [...OURS, "V8 object", "V8 Float64Array"],
  });
  for (const [name, entries] of Object.entries(workloads)) {
    for (const { min, median, max, threads, rounds, speedup } of Object.values(entries)) {
      assert.ok(0 < min && min <= median && median <= max);
      assert.deepEqual([threads, rounds], [2, 10]);
      assert.equal((speedup?.median ?? 0) > 0, name === "pair64x2");
    }
  }
});

test("pair64 and ws10k64 run on as many threads as are asked for", () => {
  const { status, stdout, stderr } = run("ws10k64", "pair64", "--threads", "1,3", ...TINY, "--json");
  assert.equal(stderr, "");
  assert.equal(status, 0);
  const { workloads, scale, runs } = JSON.parse(stdout) as Run;
  assert.deepEqual(workloads, {});
  assert.deepEqual(Object.keys(runs), ["scale"]);
  assert.deepEqual(
    scale.map(({ workload, subject }) => `${workload} ${subject}`),
    ["pair64", "ws10k64"].flatMap((workload) =>
      ["MemAlloc", "MemCache", "kmalloc", "V8 object"].map((subject) => `${workload} ${subject}`),
    ),
  );
  for (const { points } of scale) {
    assert.deepEqual(
      points.map(({ threads }) => threads),
      [1, 3],
    );
    for (const { time } of points) assert.ok(time.median > 0);
  }
});

test("the table of scale has a column for each number of threads, and says what is kept", () => {
  const at = (threads: number, ns: number): Point => ({ threads, time: spreadOf([ns]) });
  const printed = renderScale(
    [
      { workload: "pair64", subject: "MemAlloc", points: [at(1, 10), at(4, 20)] },
      { workload: "pair64", subject: "kmalloc", points: [at(1, 50), at(2, 25), at(4, 25)] },
    ],
    2,
  );
  const cells = printed.split("\n").map((line) => line.trim().split(/ {2,}/));
  assert.deepEqual(cells.slice(1, -1), [
    ["workload", "subject", "1", "2", "4", "more threads than processors"],
    ["pair64", "MemAlloc", "100.0", "50.0", "FALLS to 50 %"],
    ["pair64", "kmalloc", "20.0", "40.0", "40.0", "keeps 100 %"],
  ]);
});

test("a round lasts until its last thread is through", () => {
  const parts = [
    { operations: 60, took: 300 },
    { operations: 40, took: 500 },
    { operations: 0, took: 400 },
  ];
  assert.equal(timeOf(parts), 5);
});

test("the speedup is that of each process", () => {
  const { time, speedup } = parallelResultOf("pair64x2", {
    subject: "MemAlloc",
    times: [4, 2, 3],
    speedups: [1.5, 2, 1.9],
  });
  assert.equal(time.median, 3);
  assert.equal(speedup?.median, 1.9);
  const without = parallelResultOf("xthread", { subject: "MemAlloc", times: [4], speedups: [] });
  assert.equal("speedup" in without, false);
});

test("throughput on more threads than processors is compared with the best on fewer", () => {
  const points = [
    [1, 10],
    [2, 5],
    [4, 5.5],
    [8, 10],
  ].map(([threads, time]): Point => ({ threads, time: spreadOf([time]) }));
  assert.equal(keptOf(points, 2), 0.5);
  assert.equal(hasFallen(0.5), true);
  assert.equal(hasFallen(keptOf(points.slice(0, 3), 2) ?? 0), false);
  assert.equal(keptOf(points, 16), undefined);
});

test("a ring hands over what was put, in order, and then says that it was all", () => {
  const words = new Int32Array(new SharedArrayBuffer(RING_WORDS * 4));
  const [sender, freer] = [new Ring(words), new Ring(words)];
  for (let round = 0; round < 200; round++) {
    const at = sender.awaitRoom();
    words[at] = round;
    sender.publish();
    assert.equal(words[freer.awaitObjects()], round);
    freer.taken();
  }
  sender.awaitRoom();
  sender.publish();
  sender.end();
  assert.ok(freer.awaitObjects() >= 0);
  freer.taken();
  assert.equal(freer.awaitObjects(), -1);
});

test("slots go round", () => {
  const words = new Int32Array(new SharedArrayBuffer(swapWords(1, 10) * 4));
  const swaps = new Swaps(words, 0, 1, 10);
  swaps.slots[3] = 7;
  assert.equal(swaps.swap(false), false);
  assert.equal(swaps.swap(true), true);
  assert.equal(swaps.swap(false), false);
  assert.equal(swaps.slots[3], 7);
});
