/** Real threads that allocate, free, and hand objects to each other: stamps hold, nothing is lost. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Geometry } from "#src/arena/index.js";
import { openKmemCache } from "#src/mm/index.js";
import { flushAll, KIB, MIB, newHeap } from "../support/heaps.ts";
import { assertSound, usedObjects } from "../support/sound.ts";
import { runThreads } from "../support/threads.ts";
import { type Answer, constructObject, type Settings } from "./threads-worker.ts";

const worker = new URL("./threads-worker.js", import.meta.url);
const timeout = 60_000;
/** A page or two for each of 14 caches: each keeps one slab. */
const MAX_EMPTY_SLAB_PAGES = 16;

interface Run extends Settings {
  readonly threads: number;
  readonly heap: Partial<Geometry>;
}

/** Returns what the threads counted, all in all. The heap must be sound and without objects at the end. */
async function run({ threads, heap, ...settings }: Run): Promise<Answer> {
  const system = newHeap({ maxCpus: threads + 1, ...heap });
  const ring = new Int32Array(new SharedArrayBuffer(settings.slots * 4));
  const jobs = Array.from({ length: threads }, (_, i) => ({
    ...settings,
    token: system.arena.token,
    ring,
    seed: i + 1,
  }));
  const answers = await runThreads<Answer>(worker, jobs);
  for (const p of ring) if (p !== 0) system.kmalloc.free(p >>> 0);
  flushAll(system);
  assertSound(system);
  assert.deepEqual(usedObjects(system), new Map());
  assert.ok(
    system.cpus.list().every(({ cpu, state }) => (cpu === 0 ? state === "online" : state === "free")),
  );
  for (let i = 0; i < 20; i++) system.kmalloc.shrink();
  assert.ok(system.pages.held <= MAX_EMPTY_SLAB_PAGES, `${system.pages.held} pages are held, of empty slabs`);
  return {
    allocated: answers.reduce((sum, { allocated }) => sum + allocated, 0),
    failed: answers.reduce((sum, { failed }) => sum + failed, 0),
  };
}

for (const threads of [2, 4]) {
  test(`${threads} threads, objects of any size, with memory enough`, { timeout }, async () => {
    const heap = { bytes: 64 * MIB };
    const { failed } = await run({
      threads,
      heap,
      kind: "kmalloc",
      slots: 256,
      rounds: 30_000,
      maxSize: 20_000,
    });
    assert.equal(failed, 0);
  });
}

test("3 threads, small objects of few sizes", { timeout }, async () => {
  const heap = { bytes: 16 * MIB };
  const { failed } = await run({
    threads: 3,
    heap,
    kind: "kmalloc",
    slots: 3000,
    rounds: 100_000,
    maxSize: 64,
  });
  assert.equal(failed, 0);
});

test("3 threads, blocks of pages only", { timeout }, async () => {
  const heap = { bytes: 64 * MIB };
  const { failed } = await run({
    threads: 3,
    heap,
    kind: "pages",
    slots: 60,
    rounds: 12_000,
    maxSize: 200_000,
  });
  assert.equal(failed, 0);
});

test("3 threads, memory running out all the time", { timeout }, async () => {
  const heap = { bytes: 600 * KIB, percpuBytes: 16 * KIB, maxNames: 16 };
  const result = await run({ threads: 3, heap, kind: "kmalloc", slots: 2000, rounds: 60_000, maxSize: 9000 });
  assert.ok(result.failed > 0 && result.allocated > 1000, JSON.stringify(result));
});

test("3 threads, a slab cache with a constructor", { timeout }, async () => {
  const heap = { bytes: 4 * MIB };
  const { failed } = await run({ threads: 3, heap, kind: "kmem", slots: 500, rounds: 100_000, maxSize: 0 });
  assert.equal(failed, 0);
});

test("the worker's own check finds an object that is not as it was constructed", () => {
  const { arena, kmalloc, directory, areas } = newHeap();
  const options = { name: "made", size: 40, ctor: (p: number) => constructObject(arena.words, p) };
  const p = openKmemCache(kmalloc, directory, areas, options).alloc();
  assert.ok([0, 4, 9].every((word) => arena.words[(p >>> 2) + word] === p + word));
});
