/** Which lines CPUs share: the model of caches, and that the steady state of an allocator shares none. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Run } from "../../bench/results.ts";
import { Lines } from "../../bench/sharing/lines.ts";
import { renderSharing } from "../../bench/sharing/report.ts";
import { CPU_COUNTS, type SharingResult } from "../../bench/sharing/run.ts";
import { CAS, LOAD, READ, WRITE, ZERO } from "../../check/engine/operations.ts";

const MAIN = fileURLToPath(new URL("../../bench/main.js", import.meta.url));

const CPUS = 3;

/** Steps of CPUs, [CPU, operation, word], and what was counted of them. */
function countedOf(steps: readonly (readonly [number, typeof READ | typeof WRITE | typeof LOAD, number])[]) {
  const lines = new Lines(new Int32Array(64), CPUS, { nameOf: (word: number) => `line ${word >> 4}` });
  const counts = lines.count();
  for (const [cpu, op, word] of steps) {
    lines.cpu = cpu;
    lines.access(op, word, 0, 0);
  }
  return Object.fromEntries(counts);
}

test("who has a line reads and writes it for nothing; a line that nobody had comes from nobody", () => {
  assert.deepEqual(
    countedOf([
      [0, READ, 1],
      [0, WRITE, 1],
      [0, WRITE, 2],
      [0, READ, 17],
    ]),
    {},
  );
});

test("what another CPU wrote is fetched once; a write takes it away from all who have it", () => {
  assert.deepEqual(
    countedOf([
      [0, WRITE, 1],
      [1, READ, 1],
      [1, LOAD, 1],
      [2, READ, 1],
      [0, WRITE, 1],
      [1, WRITE, 17],
      [2, WRITE, 17],
    ]),
    { "line 0": { reads: 2, writes: 1, apart: 0 }, "line 1": { reads: 0, writes: 1, apart: 0 } },
  );
});

test("a line that comes because of another word of it is told apart", () => {
  assert.deepEqual(
    countedOf([
      [0, WRITE, 1],
      [1, WRITE, 2],
      [0, WRITE, 1],
      [1, READ, 2],
      [1, READ, 1],
      [0, READ, 2],
    ]),
    { "line 0": { reads: 1, writes: 2, apart: 3 } },
  );
});

test("words that are zeroed are written to, and a CAS is a write", () => {
  const lines = new Lines(new Int32Array(64), CPUS, { nameOf: () => "here" });
  lines.touch(READ, 0, 40);
  const counts = lines.count();
  lines.cpu = 1;
  lines.access(ZERO, 8, 32, 0);
  lines.cpu = 2;
  lines.access(CAS, 9, 5, 6);
  assert.deepEqual([...counts], [["here", { reads: 0, writes: 4, apart: 0 }]]);
});

test("an allocator whose objects stay where they are shares nothing, with 2 to 16 CPUs", () => {
  const args = [MAIN, "sharing", "--rounds", "4", "--json"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    timeout: 300_000,
  });
  assert.equal(stderr, "");
  assert.equal(status, 0);
  const { sharing } = JSON.parse(stdout) as Run;
  const transfersOf = (workload: string, subject: string) =>
    sharing
      .filter((result) => result.workload === workload && result.subject === subject)
      .map(({ cpus, transfers }) => [cpus, transfers]);
  const nothing = CPU_COUNTS.map((cpus) => [cpus, 0]);
  for (const subject of ["MemAlloc", "MemCache", "MemCache in a group"]) {
    assert.deepEqual(transfersOf("pair64", subject), nothing);
    assert.deepEqual(transfersOf("ws10k64", subject), nothing);
  }
  assert.deepEqual(transfersOf("pair64", "kmalloc"), nothing);
  assert.deepEqual(transfersOf("rcu-lock", "heap.rcu"), nothing);
  assert.deepEqual(transfersOf("counter", "PerCpuCounter"), nothing);
  // and where objects go from one CPU to another, they are seen to
  for (const [, transfers] of transfersOf("xthread", "MemCache")) assert.ok(transfers > 1);
});

test("the table has a column for each number of CPUs, and under a workload what is shared", () => {
  const result = (cpus: number, reads: number): SharingResult => ({
    workload: "pair64",
    subject: "MemAlloc",
    cpus,
    operations: 100,
    transfers: reads + 0.5,
    places: [
      { place: "objects", reads, writes: 0.5, apart: 0.25 },
      { place: "page counters", reads: 0, writes: 0.0001, apart: 0 },
    ],
  });
  assert.deepEqual(
    renderSharing([result(2, 1), result(4, 2)])
      .trimEnd()
      .split("\n")
      .slice(1)
      .map((line) => line.trim().split(/ {2,}/)),
    [
      ["2 CPUs", "4 CPUs", "another word"],
      ["pair64, MemAlloc", "1.500", "2.500"],
      ["- objects", "1.500", "2.500", "0.250"],
    ],
  );
});
