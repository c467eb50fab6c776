/** The whole program, as a child process. */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Report } from "#src/cli/report.js";
import { generateTrace, type TraceShape } from "./generate-trace.ts";
import { parse } from "./shapes.ts";

const MAIN = fileURLToPath(import.meta.resolve("#src/cli/main.js"));

/** Nothing here takes that long: a hang becomes a failure. */
const TIMEOUT_MS = 120_000;

const SHAPE: TraceShape = {
  seed: 32,
  threads: 32,
  operations: 30_000,
  slots: 2000,
  maxSize: 12_000,
  freedElsewhere: 0.4,
};
const { text, operations } = generateTrace(SHAPE);
const allocations = operations.filter(({ kind }) => kind === "a").length;

let folder = "";
let tracePath = "";

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "sharedheap-program-"));
  tracePath = join(folder, "many.trace.gz");
  await writeFile(tracePath, gzipSync(text));
});

after(() => rm(folder, { recursive: true }));

function run(...argv: string[]) {
  const child = spawnSync(process.execPath, [MAIN, ...argv], { encoding: "utf8", timeout: TIMEOUT_MS });
  assert.equal(child.signal, null, `ended by ${child.signal}: ${child.stderr}`);
  return { code: child.status, stdout: child.stdout, stderr: child.stderr };
}

function replayJson(...argv: string[]): Report {
  const { code, stdout, stderr } = run("replay", ...argv, "--json");
  assert.equal(stderr, "");
  const report = JSON.parse(stdout) as Report;
  assert.equal(code, 0, stdout);
  return report;
}

function failsWith(code: number, message: RegExp, ...argv: string[]): void {
  const result = run(...argv);
  assert.match(result.stderr, message);
  assert.match(result.stderr, /^sharedheap: [^\n]*\n$/);
  assert.equal(result.stdout, "");
  assert.equal(result.code, code);
}

for (const alloc of ["memalloc", "kmalloc"]) {
  for (let threads = 1; threads <= 8; threads++) {
    test(`${alloc}: a trace of 32 threads on ${threads} workers`, () => {
      const report = replayJson(tracePath, "--alloc", alloc, "--threads", `${threads}`);
      assert.equal(report.threads, threads);
      assert.equal(report.operations, 2 * allocations);
      assert.equal(report.endFrees, 2 * allocations - operations.length);
      assert.equal(report.failedAllocations, 0);
      assert.equal(report.corrupted, 0);
      assert.equal(report.lost, 0);
      assert.deepEqual(report.problems, []);
      assert.equal(report.remoteFrees > 0, threads > 1);
      assert.ok(report.peakRequestedBytes <= report.peakUnitBytes);
      assert.ok(report.peakHeldBytes > 0 && report.fastPathShare <= 1 && report.seconds > 0);
      if (threads === 1) assert.equal(report.peakRequestedBytes, parse(text).peakBytes);
    });
  }
}

test("rounds add up", () => {
  const once = replayJson(tracePath, "--threads", "3");
  const thrice = replayJson(tracePath, "--threads", "3", "--repeat", "3");
  assert.equal(thrice.operations, 3 * once.operations);
  assert.equal(thrice.remoteFrees, 3 * once.remoteFrees);
  assert.equal(thrice.largeRequests, 3 * once.largeRequests);
});

test("more workers than the trace has threads, and than there are processors", () => {
  assert.equal(replayJson(tracePath, "--threads", "64").threads, 64);
});

test("as many workers as threads, at most 8, when not told", async () => {
  assert.equal(replayJson(tracePath).threads, 8);
  const path = join(folder, "three.trace");
  await writeFile(path, generateTrace({ ...SHAPE, threads: 3, operations: 500 }).text);
  assert.equal(replayJson(path).threads, 3);
});

test("a trace of one thread is spread over workers", async () => {
  const path = join(folder, "one.trace");
  await writeFile(path, generateTrace({ ...SHAPE, threads: 1 }).text);
  const report = replayJson(path, "--threads", "4");
  assert.equal(report.remoteFrees, 0);
  assert.equal(report.threads, 4);
});

test("the table", () => {
  const { code, stdout, stderr } = run("replay", tracePath, "--threads", "2");
  assert.equal(code, 0, stdout);
  assert.equal(stderr, "");
  assert.match(stdout, /memalloc, 2 workers, 1 round\n/);
  assert.match(stdout, /\nok: every object came back whole/);
});

test("a heap that is too small fails allocations, and nothing else", () => {
  const report = replayJson(tracePath, "--threads", "2", "--heap-bytes", "2M");
  assert.ok(report.failedAllocations > 0);
  assert.equal(report.corrupted, 0);
  assert.equal(report.lost, 0);
  const { stdout } = run("replay", tracePath, "--threads", "2", "--heap-bytes", "2M");
  assert.match(stdout, /allocations? failed in a heap of 2\.0 MiB; try a larger --heap-bytes/);
});

test("a heap that cannot be", () => {
  failsWith(2, /no heap of 1 B for 2 threads: /, "replay", tracePath, "--threads", "2", "--heap-bytes", "1");
});

test("bad input: one line, exit code 2", async () => {
  const cut = join(folder, "cut.trace.gz");
  const zipped = gzipSync(text);
  await writeFile(cut, zipped.subarray(0, zipped.length >>> 1));
  failsWith(2, /cut\.trace\.gz:\d+: the file is truncated/, "replay", cut);
  const bad = join(folder, "bad.trace");
  await writeFile(bad, "# sharedheap allocation trace v1\na 1 8 0\nf 17 0\n");
  failsWith(2, /bad\.trace:3: free of slot 17, which is not allocated$/m, "replay", bad);
  failsWith(2, /cannot read .*none: no such file$/m, "replay", join(folder, "none"));
});

test("bad usage: one line with where to read more, exit code 2", () => {
  failsWith(2, /no command given \(see sharedheap --help\)/);
  failsWith(2, /unknown option '--fast'/, "replay", tracePath, "--fast");
  failsWith(2, /--threads .*\(see sharedheap replay --help\)/, "replay", tracePath, "--threads", "65");
});

test("help and version", () => {
  assert.match(run("--help").stdout, /Usage:/);
  assert.match(run("replay", "--help").stdout, /--heap-bytes SIZE/);
  assert.match(run("--version").stdout, /^\d+\.\d+\.\d+\S*\n$/);
  for (const line of run("replay", "--help").stdout.split("\n")) assert.ok(line.length <= 80, line);
});

test("the trace that comes with the project", { skip: !existsSync("traces/gstreamer.trace.gz") }, () => {
  const report = replayJson("traces/gstreamer.trace.gz");
  assert.equal(report.threads, 7);
  assert.equal(report.lost, 0);
});

const onWindows = process.platform === "win32";

test("an interrupt ends it with 130", { skip: onWindows, timeout: TIMEOUT_MS }, async () => {
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  const child = spawn(process.execPath, [MAIN, "replay", pipe, "--repeat", "1000000"], { stdio: "pipe" });
  const exit = once(child, "exit");
  // A pipe opens when the program does the same: it has come to its senses, and can be interrupted.
  const writer = createWriteStream(pipe);
  await once(writer, "open");
  writer.end(text);
  await once(writer, "close");
  await new Promise((resolve) => setTimeout(resolve, 300));
  child.kill("SIGINT");
  assert.deepEqual(await exit, [130, null]);
});
