/** The whole program, as a child process, with as few measurements as it does. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { PEERS } from "../../bench/peers/list.ts";
import type { Run } from "../../bench/results.ts";

const FIXED_PEERS = PEERS.map(({ name }) => name);
const PEERS_OF_ANY = PEERS.filter(({ fixed }) => !fixed).map(({ name }) => name);
const MAIN = fileURLToPath(new URL("../../bench/main.js", import.meta.url));

function run(...argv: string[]) {
  return spawnSync(process.execPath, [MAIN, ...argv], { encoding: "utf8", timeout: 120_000 });
}

test("a workload or an option that does not exist is one line and exit code 2", () => {
  const workload = run("pear64");
  assert.equal(workload.status, 2);
  assert.match(workload.stderr, /^bench: unknown workload "pear64"; there are pair64, [^\n]*\n$/);
  const option = run("--fast");
  assert.equal(option.status, 2);
  assert.match(option.stderr, /^bench: Unknown option '--fast'\n$/);
  const rounds = run("--rounds", "none");
  assert.equal(rounds.status, 2);
  assert.match(rounds.stderr, /^bench: --rounds takes [^\n]*"none"\n$/);
  const threads = run("diff-cpu", "--threads", "3");
  assert.equal(threads.status, 2);
  assert.equal(threads.stderr, "bench: diff-cpu takes an even number of threads\n");
  const seconds = run("bounded", "--seconds", "0");
  assert.equal(seconds.status, 2);
  assert.match(seconds.stderr, /^bench: --seconds takes [^\n]*"0"\n$/);
});

test("--help and --list", () => {
  const help = run("--help");
  assert.equal(help.status, 0);
  assert.match(help.stdout, /^usage: npm run bench/);
  const list = run("--list");
  assert.equal(list.status, 0);
  const names = [...list.stdout.matchAll(/^(\S+) +\S.*$/gm)].map(([, name]) => name);
  const ofOneThread = [
    "pair64",
    "lifo100",
    "ws10k",
    "ws10k64",
    "larson1",
    "free-rcu",
    "rcu-lock",
    "memcg",
    "guards",
    "variants",
  ];
  const ofSeveral = ["overwrite", "batch", "diff-cpu", "bounded"];
  assert.deepEqual(names, [
    ...ofOneThread,
    ...ofSeveral,
    "all-sizes",
    "latency",
    "counter",
    "fairness",
    "sharing",
  ]);
});

test("every workload of one thread runs, and says as JSON what was measured and where", () => {
  const { status, stdout, stderr } = run("--rounds", "1", "--processes", "1", "--json");
  assert.equal(stderr, "");
  assert.equal(status, 0);
  const { command, machine, node, results } = JSON.parse(stdout) as Run;
  assert.equal(command, "npm run bench -- --rounds 1 --processes 1 --json");
  assert.equal(node, process.version);
  assert.notEqual(machine.cpu, "");
  const measured = results.map(({ workload, subject }) => `${workload} ${subject}`);
  assert.deepEqual(measured, [
    ...["MemAlloc", "MemCache", "kmalloc", ...FIXED_PEERS].map((subject) => `pair64 ${subject}`),
    ...["MemAlloc", "MemCache", "kmalloc", ...FIXED_PEERS].map((subject) => `lifo100 ${subject}`),
    ...["MemAlloc", "kmalloc", ...PEERS_OF_ANY].map((subject) => `ws10k ${subject}`),
    ...["MemAlloc", "MemCache", "kmalloc", ...FIXED_PEERS].map((subject) => `ws10k64 ${subject}`),
    ...["MemAlloc", "kmalloc", ...PEERS_OF_ANY].map((subject) => `larson1 ${subject}`),
    ...["MemAlloc", "MemCache"].map((subject) => `free-rcu ${subject}`),
    "rcu-lock heap.rcu",
    "memcg stock",
    "memcg refill",
    "guards MemAlloc",
    "guards MemCache",
  ]);
  for (const { time, reference } of results) assert.ok(time.median > 0 && reference.median > 0);
});

test("the table says whether the targets are met", () => {
  const { status, stdout } = run("pair64", "--rounds", "1", "--processes", "1");
  assert.equal(status, 0);
  assert.match(stdout, /MemAlloc .* x reference +target: at most 3\.5, (met|missed) on this machine/);
  assert.match(stdout, /MemCache .* x reference +target: at most 2\.2, (met|missed) on this machine/);
});

test("counter counts with all threads, in both ways", () => {
  const { status, stdout, stderr } = run("counter", "--quick", "--json");
  assert.equal(stderr, "");
  assert.equal(status, 0);
  const { counter } = JSON.parse(stdout) as Run;
  assert.equal(counter?.threads, 2);
  assert.ok(counter.percpu.median > 0 && counter.word.median > 0 && counter.ratio.median > 0);
});

test("fairness: the tenant at work gets all that it asks for, the other one is refused", () => {
  const { status, stdout, stderr } = run("fairness", "--quick", "--json");
  assert.equal(stderr, "");
  assert.equal(status, 0);
  const { fairness } = JSON.parse(stdout) as Run;
  assert.equal(fairness?.nulls, 0);
  assert.ok(fairness.refused > 0 && fairness.share.median > 0);
});

test("variants: each fits the fast paths as they are built, and runs", () => {
  const { status, stdout, stderr } = run("variants", "--rounds", "1", "--processes", "1", "--json");
  assert.equal(stderr, "");
  assert.equal(status, 0);
  const { results } = JSON.parse(stdout) as Run;
  assert.ok(results.length >= 16);
  assert.ok(results.every(({ time }) => time.median > 0));
});
