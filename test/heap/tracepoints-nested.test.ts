/** Handlers that call the heap from inside every tracepoint. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SharedHeap, type TracepointName } from "sharedheap";
import { allocMany, cpusOf, freeAll, oneCpu, usedObjects } from "../memalloc/heaps.ts";
import { POINTS } from "../support/points.ts";
import { provoke } from "./points.ts";
import { Program } from "./reentry.ts";

const SIZE = 64;

test("handlers may make any call, to any depth: objects keep their contents, and the books balance", async () => {
  const choices = fc.array(fc.nat(2 ** 20), { minLength: 50, maxLength: 1500, size: "max" });
  await fc.assert(
    fc.asyncProperty(choices, async (numbers) => new Program(numbers).run()),
    { numRuns: 60 },
  );
});

test("the same in a heap that is full, and under faults", async () => {
  const choices = fc.array(fc.nat(2 ** 20), { minLength: 50, maxLength: 1500, size: "max" });
  const mode = fc.constantFrom("inline" as const, "turn" as const, "kthread" as const);
  const every = fc.integer({ min: 2, max: 40 });
  await fc.assert(
    fc.asyncProperty(choices, mode, every, async (numbers, irqWork, faults) => {
      await new Program(numbers, { bytes: 700 * 1024, percpuBytes: 2 ** 15, irqWork }, faults).run();
    }),
    { numRuns: 60 },
  );
});

/** Calls that come by a tracepoint in the last of their steps. */
const CALLS: readonly (readonly [TracepointName, (heap: SharedHeap) => () => void])[] = [
  ["slab:new", (heap) => () => void heap.kmalloc(8192)],
  ["slab:alloc", (heap) => () => void heap.kmalloc(8192)],
  [
    "slab:free",
    (heap) => {
      const p = heap.kmalloc(8192);
      return () => heap.kfree(p);
    },
  ],
  [
    "slab:discard",
    (heap) => {
      const objects = Array.from({ length: 40 }, () => heap.kmalloc(4096));
      return () => objects.splice(0).forEach((p) => void heap.kfree(p));
    },
  ],
];

for (const [name, prepare] of CALLS) {
  test(`work that a handler of ${name} raised is done when the call ends`, () => {
    const heap = oneCpu();
    const pool = heap.memCache({ name: "fixed", size: SIZE });
    freeAll(pool, allocMany(pool, SIZE, 90));
    const call = prepare(heap);
    let taken = 0;
    const off = heap.tracepoints.on(name, () => {
      while (pool.alloc() !== 0) taken++;
    });
    call();
    assert.ok(taken > 40);
    off();
    assert.notEqual(
      heap.context.nmi(() => pool.alloc()),
      0,
      "there is stock again",
    );
    heap.checkInvariants();
  });
}

test("deferred work does not run under a handler", () => {
  for (const name of POINTS.slice(2)) {
    const heap = oneCpu({ maxCpus: 2 });
    const pool = heap.memCache({ name: "fixed", size: SIZE });
    const contexts = new Set<boolean>();
    const off = heap.tracepoints.on(name, () => void contexts.add(heap.context.inTask()));
    provoke(heap, pool);
    off();
    assert.deepEqual([...contexts], [false], name);
    assert.equal(heap.context.inTask(), true);
  }
});

test("a CPU that detaches keeps nothing, whatever its handlers allocate meanwhile", () => {
  for (const name of POINTS) {
    const [heap, other] = cpusOf(2);
    const pool = other.memCache({ name: "fixed", size: SIZE });
    freeAll(pool, allocMany(pool, SIZE, 300));
    for (const size of [8, 64, 128, 512, 1024, 4096, 8192]) other.kfree(other.kmalloc(size));
    const held: number[] = [];
    other.tracepoints.on(name, () => void held.push(other.kmalloc([8, 64, 512, 4096][held.length % 4])));
    other.detach();
    assert.equal(heap.stats().cpus[1].currentPages, 0, name);
    for (const p of held) heap.kfree(p);
    heap.checkInvariants();
    heap.detach();
    assert.equal(usedObjects(heap), 0, name);
  }
});

test("handlers may look: stats and verify come to an end from inside every tracepoint", () => {
  for (const name of POINTS) {
    const heap = SharedHeap.create({ bytes: 2 ** 20, maxCpus: 2, turns: false });
    const pool = heap.memCache({ name: "fixed", size: SIZE });
    let looks = 0;
    const off = heap.tracepoints.on(name, () => {
      if (looks++ > 200) return;
      heap.stats();
      heap.verify();
    });
    provoke(heap, pool);
    off();
    assert.ok(looks > 0, name);
  }
});
