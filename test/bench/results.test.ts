/** What is saved, and the tables, charts and documents that are made of it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { drawingsOf } from "../../bench/report/charts.ts";
import { DOCUMENTS, pathOfDocument, renderReport, rewritten } from "../../bench/report/documents.ts";
import { lossesOf, nodesTable, summaryOf } from "../../bench/report/summary.ts";
import { renderChart } from "../../bench/report/svg.ts";
import { mergedRun, RESULTS_FOLDER, type Run, savedRuns, saveRun } from "../../bench/results.ts";
import { spreadOf } from "../../bench/statistics.ts";

const MAIN = fileURLToPath(new URL("../../bench/main.js", import.meta.url));
const FOLDER = mkdtempSync(join(tmpdir(), "sharedheap-bench-"));
after(() => rmSync(FOLDER, { recursive: true }));

function entry(ns: number) {
  return { ...spreadOf([ns]), rounds: 1 };
}

const RUN: Run = {
  command: "npm run bench -- pair64",
  date: "2026-01-02",
  machine: { cpu: "A CPU", threads: 2, system: "Linux x64", load: 0 },
  node: "v20.1.2",
  v8: "11",
  workloads: {
    pair64: { sharedheap: entry(5), MemCache: entry(4), kmalloc: entry(20), Fast: entry(4), Slow: entry(50) },
    xthread: { sharedheap: entry(30) },
  },
  threaded: [],
  scale: [
    {
      workload: "pair64",
      subject: "MemAlloc",
      points: [1, 2, 4].map((threads) => ({ threads, time: spreadOf([threads === 4 ? 20 : 10 / threads]) })),
    },
  ],
  bounded: {
    workload: "bounded",
    subject: "freeRcu + reader",
    threads: 2,
    rate: 1000,
    waiting: [0.5, 0.6, 0.4],
    peak: 2,
    firstThird: 0.5,
    lastThird: 0.4,
    isFlat: true,
  },
  allSizes: [],
  latency: undefined,
  counter: undefined,
  fairness: undefined,
  sharing: [],
  runs: { pair64: { command: "npm run bench -- pair64", date: "2026-01-02", load: 0 } },
  leftOut: [{ subject: "dlmalloc", why: "emcc is not on the PATH" }],
};

test("the summary compares each cell with the goal", () => {
  const lines = summaryOf(RUN);
  assert.ok(lines.includes("| ns per operation | `pair64` | `xthread` |"));
  assert.ok(lines.includes("| `MemAlloc` | **5.00 (0.91)** | **30.00 (1.20)** |"));
  assert.ok(lines.includes("| *goal* | *5.5* | *25* |"));
  assert.ok(lines.includes("| Slow | 50.00 (9.09) |  |"));
});

test("what we lose is told: goals, faster ones, targets, throughput", () => {
  assert.deepEqual(lossesOf(RUN), [
    "`MemAlloc` misses goals: `xthread` 30.00 ns, goal 25 (1.20 times)",
    "`MemCache` misses goals: `pair64` 4.00 ns, goal 3 (1.33 times)",
    "`kmalloc` misses goals: `pair64` 20.00 ns, goal 18.4 (1.09 times)",
    "Fast is faster on `pair64`: `MemAlloc` takes 1.25 times as long",
    "`pair64` on more threads than processors: throughput of MemAlloc falls to 25 %",
  ]);
  const missed = { ...entry(5), ratio: spreadOf([4]), target: 3.5, met: false };
  assert.deepEqual(lossesOf({ ...RUN, scale: [], workloads: { memcg: { stock: missed } } }), [
    "`memcg`, stock: 4.00 times the reference, target 3.5",
  ]);
  assert.deepEqual(
    summaryOf({ ...RUN, scale: [], workloads: { pair64: { sharedheap: entry(5) } } }).slice(-1),
    ["What we lose: of what was measured, nothing."],
  );
});

test("charts have a line for each subject, and are well-formed", () => {
  const drawings = drawingsOf(RUN);
  assert.deepEqual(
    drawings.map(({ name }) => name),
    ["a-node20-throughput-pair64.svg", "a-node20-bounded.svg"],
  );
  for (const { chart } of drawings) {
    const svg = renderChart(chart);
    assert.equal(svg.match(/<path /g)?.length, chart.series.length);
    assert.ok(!svg.includes("NaN") && !svg.includes("undefined") && !svg.includes("Infinity"));
    assert.equal(svg.match(/<text /g)?.length, svg.match(/<\/text>/g)?.length);
  }
});

test("a line has a gap where there is no value", () => {
  const series = [{ name: "s", values: [1, undefined, 2, 3] }];
  const svg = renderChart({ title: "t", xName: "x", yName: "y", columns: ["1", "2", "3", "4"], series });
  assert.match(svg, /<path d="M[\d. ]+M[\d. ]+L[\d. ]+"/);
  assert.equal(svg.match(/<circle /g)?.length, 3);
});

test("a chart of one point, of zeros, and on a logarithmic axis", () => {
  const common = { title: "a < b", xName: "x", yName: "y", columns: ["1"] };
  for (const [value, isLogarithmic] of [
    [0, false],
    [0, true],
    [1, true],
    [12_345, true],
    [0.003, false],
  ] as const) {
    const svg = renderChart({ ...common, isLogarithmic, series: [{ name: "s", values: [value] }] });
    assert.ok(!svg.includes("NaN") && !svg.includes("Infinity"));
    assert.ok(svg.includes("a &lt; b"));
  }
});

test("a workload that is saved again replaces what was there of it, and nothing else", () => {
  const now: Run = {
    ...RUN,
    workloads: { pair64: { sharedheap: entry(6) } },
    scale: [],
    bounded: undefined,
    date: "2026-01-03",
    runs: { pair64: { command: "again", date: "2026-01-03", load: 1 } },
  };
  const { workloads, scale, bounded, runs } = mergedRun(RUN, now);
  assert.deepEqual(Object.keys(workloads.pair64), ["sharedheap"]);
  assert.equal(workloads.pair64.sharedheap.median, 6);
  assert.equal(workloads.xthread.sharedheap.median, 30);
  assert.deepEqual([scale.length, bounded?.peak, runs.pair64.command], [1, 2, "again"]);
});

test("--save puts runs into one file for a machine and a Node, and --report draws from it", () => {
  const folder = join(FOLDER, "saved");
  const bench = (...args: string[]) =>
    spawnSync(process.execPath, [MAIN, ...args, "--results", folder], { encoding: "utf8", timeout: 120_000 });
  const tiny = ["--rounds", "1", "--processes", "1", "--seconds", "0.05", "--save"];
  assert.equal(bench("rcu-lock", ...tiny).status, 0);
  assert.match(bench("bounded", "latency", ...tiny).stderr, /^bench: saved in \S+\.json\n$/);
  assert.equal(bench("pair64", "--threads", "1,2", ...tiny).status, 0);
  const [run, ...others] = savedRuns(folder);
  assert.deepEqual(others, []);
  assert.deepEqual(Object.keys(run.runs), ["rcu-lock", "bounded", "latency", "scale"]);
  const { status, stdout, stderr } = bench("--report");
  assert.equal(stderr, "");
  assert.equal(status, 0);
  for (const name of ["bounded", "latency", "throughput-pair64"]) {
    assert.ok(readdirSync(folder).some((file) => file.endsWith(`${name}.svg`)));
    assert.match(stdout, new RegExp(`!\\[.*\\]\\(\\S*${name}\\.svg\\)`));
  }
  assert.match(stdout, /\| rcu-lock \| heap\.rcu \| /);
});

test("a document's blocks are replaced, and what is around them stays", () => {
  const text = "a\n<!-- bench:report -->\nold\n<!-- /bench:report -->\nb\n";
  const now = rewritten(text, [RUN], "results");
  assert.equal(now, text.replace("old", renderReport([RUN], "results").replaceAll("$", "$$$$")));
  assert.equal(rewritten(now, [RUN], "results"), now);
  assert.equal(rewritten(text, [], "results"), text.replace("old", "Nothing is saved yet."));
  assert.throws(() => rewritten("<!-- bench:summary -->", [], ""), /do not go together/);
});

test("the documents quote what is saved, and nothing else", () => {
  const runs = savedRuns(RESULTS_FOLDER);
  for (const { path, folder } of DOCUMENTS) {
    const text = readFileSync(pathOfDocument(path), "utf8");
    assert.match(text, /<!-- bench:\w+ -->/);
    assert.equal(rewritten(text, runs, folder), text, `${path}: npm run bench -- --report --write`);
  }
});

test("saved runs that have no folder are none, and a file is read as it was written", () => {
  const folder = join(FOLDER, "one");
  assert.deepEqual(savedRuns(folder), []);
  saveRun(RUN, folder);
  const [read] = savedRuns(folder);
  assert.deepEqual(JSON.parse(JSON.stringify(RUN)), read);
});

test("runs on several Nodes are beside each other; a single one is not", () => {
  assert.deepEqual(nodesTable([RUN]), []);
  assert.deepEqual(nodesTable([RUN, { ...RUN, node: "v24.0.0", workloads: {} }]), []);
  const ratio = spreadOf([2.5]);
  const newer = { ...RUN, node: "v24.0.0", workloads: { pair64: { sharedheap: { ...entry(3), ratio } } } };
  const rows = nodesTable([RUN, newer]).slice(-4);
  assert.deepEqual(rows, [
    "| `MemAlloc` | 20.1.2 | 2026-01-02 | 5.00 | 30.00 |",
    "| `MemAlloc` | 24.0.0 | 2026-01-02 | 3.00 (2.50) |  |",
    "| `MemCache` | 20.1.2 | 2026-01-02 | 4.00 |  |",
    "| `MemCache` | 24.0.0 | 2026-01-02 |  |  |",
  ]);
});
