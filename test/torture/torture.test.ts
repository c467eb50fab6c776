/**
 * Real threads, random calls, one heap. TORTURE_FACTOR=20 makes it twenty times as long;
 * TORTURE_SEED repeats a run, as far as threads can be repeated.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { SharedHeap } from "sharedheap";
import { booksOf, MIB, usedObjects } from "../memalloc/heaps.ts";
import { FIXED_BYTES, type Job, RING_SLOTS, type Tally } from "./job.ts";
import { unstamp } from "./objects.ts";

const WORKERS = 4;
const OPERATIONS = 600_000 * Number(process.env.TORTURE_FACTOR ?? 1);
const SEED = Number(process.env.TORTURE_SEED ?? Math.floor(Math.random() * 2 ** 31));

function start(job: Job): Promise<Tally> {
  const worker = new Worker(new URL("./torture-worker.js", import.meta.url), { workerData: job });
  return new Promise((resolve, reject) => {
    worker.on("message", resolve);
    worker.on("error", reject);
    worker.on("exit", (code) => reject(new Error(`a worker ended with code ${code}`)));
  });
}

interface Run {
  readonly heap: SharedHeap;
  readonly ring: Int32Array;
  readonly done: Promise<Tally[]>;
}

function startAll(bytes: number, operations: number, mayFail: boolean): Run {
  const heap = SharedHeap.create({ bytes, maxCpus: WORKERS + 1, name: "main" });
  heap.free(heap.malloc(8));
  heap.memCache({ name: "fixed", size: FIXED_BYTES });
  const ring = new Int32Array(new SharedArrayBuffer(2 * RING_SLOTS * 4));
  const jobs = Array.from({ length: WORKERS }, (_, i) => ({
    token: heap.token,
    seed: SEED + i * 7919,
    operations,
    ring,
    mayFail,
  }));
  return { heap, ring, done: Promise.all(jobs.map(start)) };
}

/** Frees what is left in the ring; then nothing may be left at all. */
function settle({ heap, ring }: Run): void {
  heap.checkInvariants();
  const fixed = heap.memCache({ name: "fixed", size: FIXED_BYTES });
  const left = [...ring].filter((p) => p !== 0).length;
  const out = booksOf(heap, "fixed").out + booksOf(heap, "malloc").out;
  assert.ok(out <= left, `${out} objects out, ${left} in the ring`);
  ring.forEach((p, slot) => {
    if (p === 0) return;
    unstamp(heap, p);
    (slot < RING_SLOTS ? heap : fixed).free(p);
  });
  heap.checkInvariants();
  assert.deepEqual([booksOf(heap, "fixed").out, booksOf(heap, "malloc").out], [0, 0]);
  assert.equal(heap.stats().large.blocks, 0);
  heap.detach();
  heap.checkInvariants();
  assert.equal(usedObjects(heap), 0);
}

for (const { name, bytes, mayFail } of [
  { name: "with room enough", bytes: 64 * MIB, mayFail: false },
  { name: "in a heap that runs out of memory", bytes: 1.5 * MIB, mayFail: true },
]) {
  test(`${WORKERS} threads, ${name}: nothing breaks, nothing is lost`, async (t) => {
    t.diagnostic(`TORTURE_SEED=${SEED}`);
    const run = startAll(bytes, OPERATIONS, mayFail);
    const tallies = await run.done;
    for (const { allocs, failed, handed, attaches } of tallies) {
      assert.ok(allocs > OPERATIONS / 10 && handed > OPERATIONS / 100 && attaches > OPERATIONS / 10_000);
      if (mayFail) assert.ok(failed > 0, "the heap never ran out");
    }
    settle(run);
  });
}

test("statistics and verify can be asked for meanwhile", async () => {
  const run = startAll(16 * MIB, OPERATIONS / 5, false);
  let running = true;
  const done = run.done.finally(() => {
    running = false;
  });
  const watch = async () => {
    for (; running; await setTimeout(1)) {
      assert.ok(Array.isArray(run.heap.verify()));
      const { pages, cpus } = run.heap.stats();
      assert.ok(pages.held >= 0 && pages.held <= pages.total);
      assert.equal(cpus.length, WORKERS + 1);
    }
  };
  const outcomes = await Promise.allSettled([done, watch()]);
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  settle(run);
});
