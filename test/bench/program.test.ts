/** The whole program, as a child process, with as few measurements as it does. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { emscriptenPeers } from "../../bench/peers/emscripten.ts";
import type { Run } from "../../bench/results.ts";
import { FAST_PATHS, variantsOf } from "../../bench/variants/changes.ts";
import { lineOf } from "../../bench/variants/copy.ts";

/** Those that are on this machine. */
const PEERS = ["@thi.ng/malloc", "AssemblyScript TLSF", ...emscriptenPeers().map(({ name }) => name)];
const FIXED = ["sharedheap", "MemCache", "kmalloc", ...PEERS, "V8 object", "V8 Float64Array", "no allocator"];
const ANY = ["sharedheap", "kmalloc", ...PEERS, "V8 Float64Array", "no allocator"];
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
  const node = run("--node", "19");
  assert.equal(node.status, 2);
  assert.match(node.stderr, /^bench: --node takes a version from 20 on, [^\n]*"19"\n$/);
  const rounds = run("--rounds", "none");
  assert.equal(rounds.status, 2);
  assert.match(rounds.stderr, /^bench: --rounds takes [^\n]*"none"\n$/);
  const threads = run("diff-cpu", "--threads", "3");
  assert.equal(threads.status, 2);
  assert.equal(threads.stderr, "bench: diff-cpu takes an even number of threads\n");
  const list = run("counter", "--threads", "1,2");
  assert.equal(list.status, 2);
  assert.match(list.stderr, /^bench: counter takes one number of threads, not "1,2"\n$/);
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
  ];
  const atOnce = ["larson2", "xthread", "pair64x2"];
  const ofSeveral = ["overwrite", "batch", "diff-cpu", "scale", "bounded"];
  const special = ["all-sizes", "latency", "counter", "fairness", "sharing"];
  assert.deepEqual(names, [...ofOneThread, ...atOnce, ...ofSeveral, ...special]);
});

test("every workload of one thread runs, and says as JSON what was measured and where", () => {
  const { status, stdout, stderr } = run("--rounds", "1", "--processes", "1", "--json");
  assert.equal(stderr, "");
  assert.equal(status, 0);
  const { command, machine, node, workloads, runs } = JSON.parse(stdout) as Run;
  assert.equal(command, "npm run bench -- --rounds 1 --processes 1 --json");
  assert.equal(node, process.version);
  assert.notEqual(machine.cpu, "");
  const measured = Object.entries(workloads).map(([name, entries]) => [name, Object.keys(entries)]);
  assert.deepEqual(Object.fromEntries(measured), {
    pair64: FIXED,
    lifo100: FIXED,
    ws10k: ANY,
    ws10k64: FIXED,
    larson1: ANY,
    "free-rcu": ["sharedheap", "MemCache"],
    "rcu-lock": ["heap.rcu"],
    memcg: ["stock", "refill"],
    guards: ["sharedheap", "MemCache"],
  });
  assert.deepEqual(Object.keys(runs), Object.keys(workloads));
  for (const { min, median, max, reference, ratio } of Object.values(workloads).flatMap(Object.values)) {
    assert.ok(0 < min && min <= median && median <= max);
    assert.ok(reference.median > 0 && ratio.median > 0);
  }
});

test("the table says whether the targets are met", () => {
  const { status, stdout } = run("pair64", "--rounds", "1", "--processes", "1");
  assert.equal(status, 0);
  assert.match(stdout, /MemAlloc .* x reference +target: at most 3, (met|missed) on this machine/);
  assert.match(stdout, /MemCache .* x reference +target: at most 1\.8, (met|missed) on this machine/);
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

test("variants: each fits the library as it is built", () => {
  const subjects = ["MemAlloc", "kmalloc"];
  const variants = ["pair64", "ws10k"].flatMap((workload) =>
    subjects.flatMap((each) => variantsOf(workload, each)),
  );
  assert.ok(variants.length >= 20);
  for (const { name, changes } of variants)
    for (const change of changes)
      for (const file of change.files ?? FAST_PATHS) {
        const text = readFileSync(fileURLToPath(import.meta.resolve(`#src/${file}`)), "utf8");
        assert.notEqual(
          lineOf(text, change),
          undefined,
          `"${name}": ${file} has no «${change.from[0].trim()}»`,
        );
      }
});

test("variants run overwrite, in rounds with what they are compared with", () => {
  const { status, stdout, stderr } = run("--variants", "overwrite", "--quick", "--seconds", "0.1", "--json");
  assert.equal(stderr, "");
  assert.equal(status, 0);
  const { threaded } = JSON.parse(stdout) as Run;
  assert.ok(threaded.length >= 8);
  for (const { subject, toPool } of threaded) {
    assert.match(subject, /^free(Rcu)?, /);
    assert.ok(toPool.median > 0);
  }
});

for (const workload of ["pair64", "larson1", "larson2"])
  test(`variants run ${workload}`, () => {
    const { status, stdout, stderr } = run("--variants", workload, "--quick", "--rounds", "1", "--json");
    assert.equal(stderr, "");
    assert.equal(status, 0);
    const entries = Object.entries((JSON.parse(stdout) as Run).workloads[workload]);
    assert.ok(entries.length >= 8);
    assert.ok(entries.every(([name, { median }]) => name.includes(", ") && median > 0));
  });
