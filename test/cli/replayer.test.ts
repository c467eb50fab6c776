import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DEMAND_WORDS, demandMeter, peakDemand } from "#src/cli/demand.js";
import { HandOver } from "#src/cli/hand-over.js";
import { makePlan } from "#src/cli/plan.js";
import { Replayer } from "#src/cli/replayer.js";
import { FakeAllocator } from "./fake-allocator.ts";
import { generateTrace } from "./generate-trace.ts";
import { parse, shapes } from "./shapes.ts";

const TEXT = generateTrace({
  seed: 5,
  threads: 1,
  operations: 3000,
  slots: 80,
  maxSize: 6000,
  freedElsewhere: 0,
}).text;

function replayerOf(text: string, allocator: FakeAllocator, onProgress = () => {}) {
  const plan = makePlan(parse(text), 1);
  const offsets = new Int32Array(new SharedArrayBuffer(plan.sizes.length * 4));
  const demandWords = new BigInt64Array(new SharedArrayBuffer(DEMAND_WORDS * 8));
  const replayer = new Replayer({
    operations: plan.operations[0] as Uint32Array,
    sizes: plan.sizes,
    allocator,
    handOver: new HandOver(offsets),
    demand: demandMeter(demandWords, 1),
    unitBytes: (size) => size * 2,
    onProgress,
    progressStep: 16,
  });
  return { replayer, plan, demandWords, offsets };
}

test("a sound allocator passes, round after round", () => {
  const allocator = new FakeAllocator(2 ** 24);
  const { replayer, plan, demandWords, offsets } = replayerOf(TEXT, allocator);
  for (let round = 0; round < 3; round++) replayer.round();
  const large = plan.sizes.filter((size) => size > 4088).length;
  assert.deepEqual(replayer.tally, { failed: 0, corrupted: 0, remoteFrees: 0, largeRequests: large * 3 });
  assert.equal(allocator.held, 0);
  assert.ok(offsets.every((word) => word === 0));
  const { peakBytes } = parse(TEXT);
  assert.deepEqual(peakDemand(demandWords), { requested: peakBytes, units: peakBytes * 2 });
});

test("objects that overlap are found", () => {
  const { replayer } = replayerOf(TEXT, new FakeAllocator(2 ** 26, { overlapEvery: 10 }));
  replayer.round();
  assert.ok(replayer.tally.corrupted > 0);
});

test("objects that are never given back are left in the books", () => {
  const allocator = new FakeAllocator(2 ** 24, { leakEvery: 10 });
  const { replayer, plan } = replayerOf(TEXT, allocator);
  replayer.round();
  assert.equal(replayer.tally.corrupted, 0);
  assert.equal(allocator.held, Math.floor(plan.sizes.length / 10));
});

test("failed allocations are counted and their frees skipped", () => {
  const allocator = new FakeAllocator(2 ** 24, { failEvery: 7 });
  const { replayer, plan, offsets } = replayerOf(TEXT, allocator);
  replayer.round();
  assert.equal(replayer.tally.failed, Math.floor(plan.sizes.length / 7));
  assert.equal(replayer.tally.corrupted, 0);
  assert.equal(allocator.held, 0);
  assert.ok(offsets.every((word) => word === 0));
});

test("an error of the allocator names the operation", () => {
  const { replayer } = replayerOf("a 0 50 0\nf 0 0\n", new FakeAllocator(2 ** 16, { throwEvery: 1 }));
  assert.throws(() => replayer.round(), /^Error: operation 2, freeing 50 bytes: bad-pointer$/);
});

test("an offset that no object can have is an error", () => {
  const allocator = new FakeAllocator(2 ** 16);
  allocator.allocate = () => 12;
  const { replayer } = replayerOf("a 0 50 0\n", allocator);
  assert.throws(() => replayer.round(), /operation 1, allocating 50 bytes: offset 12 is not a multiple of 8/);
});

test("progress is told every step", () => {
  fc.assert(
    fc.property(shapes, (shape) => {
      let steps = 0;
      const { replayer, plan } = replayerOf(
        generateTrace({ ...shape, threads: 1 }).text,
        new FakeAllocator(2 ** 26),
        () => {
          steps++;
        },
      );
      replayer.round();
      assert.equal(steps, Math.floor(plan.total / 16));
    }),
  );
});
