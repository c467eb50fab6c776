import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ACT, makePlan, type Plan } from "#src/cli/plan.js";
import type { Trace } from "#src/cli/trace.js";
import { generateTrace } from "./generate-trace.ts";
import { parse, shapes } from "./shapes.ts";

const workerCounts = fc.integer({ min: 1, max: 8 });

/** Where and when, within its worker, each id is allocated and freed. */
function livesOf(plan: Plan) {
  const allocs = new Map<number, { worker: number; remote: boolean; at: number }>();
  const frees = new Map<number, { worker: number; remote: boolean; at: number }>();
  plan.operations.forEach((words, worker) => {
    words.forEach((word, at) => {
      const act = word & 3;
      const lives = act === ACT.alloc || act === ACT.allocRemote ? allocs : frees;
      assert.ok(!lives.has(word >>> 2), `id ${word >>> 2} twice`);
      lives.set(word >>> 2, { worker, remote: act === ACT.allocRemote || act === ACT.freeRemote, at });
    });
  });
  return { allocs, frees };
}

/** The plan as the trace would have it: per worker, sizes allocated and freed, in order. */
function expected(trace: Trace, workers: number): string[][] {
  const lists: string[][] = Array.from({ length: workers }, () => []);
  const live = new Map<number, number>();
  const workerOf = (id: number, thread: number) =>
    (trace.singleThread ? (trace.slots[id] as number) : thread) % workers;
  trace.operations.forEach((word, index) => {
    const id = word >>> 1;
    const worker = workerOf(id, trace.threads[index] as number);
    if ((word & 1) === 0) live.set(id, worker);
    else live.delete(id);
    lists[worker]?.push(`${(word & 1) === 0 ? "a" : "f"} ${trace.sizes[id]}`);
  });
  for (const [id, worker] of live) lists[worker]?.push(`f ${trace.sizes[id]}`);
  return lists;
}

test("each allocation has one free, told as remote on both sides or on none", () => {
  fc.assert(
    fc.property(shapes, workerCounts, (shape, workers) => {
      const trace = parse(generateTrace(shape).text);
      const plan = makePlan(trace, workers);
      const { allocs, frees } = livesOf(plan);
      assert.equal(allocs.size, trace.sizes.length);
      assert.deepEqual([...allocs.keys()].sort(), [...frees.keys()].sort());
      for (const [id, alloc] of allocs) {
        const free = frees.get(id);
        assert.ok(free !== undefined && id < plan.sizes.length);
        assert.equal(alloc.remote, alloc.worker !== free.worker);
        assert.equal(free.remote, alloc.remote);
        if (!alloc.remote) assert.ok(alloc.at < free.at);
      }
      assert.equal(plan.total, allocs.size + frees.size);
      assert.equal(plan.endFrees, plan.total - trace.operations.length);
    }),
  );
});

test("every worker keeps the order of the trace, and then frees what is left", () => {
  fc.assert(
    fc.property(shapes, workerCounts, (shape, workers) => {
      const trace = parse(generateTrace(shape).text);
      const plan = makePlan(trace, workers);
      const found = plan.operations.map((words) =>
        Array.from(words, (word) => `${(word & 3) < ACT.free ? "a" : "f"} ${plan.sizes[word >>> 2]}`),
      );
      assert.deepEqual(found, expected(trace, workers));
    }),
  );
});

test("waiting for objects of others never blocks all workers", () => {
  fc.assert(
    fc.property(shapes, workerCounts, (shape, workers) => {
      const plan = makePlan(parse(generateTrace(shape).text), workers);
      const next = plan.operations.map(() => 0);
      const there = new Set<number>();
      const step = (worker: number): boolean => {
        const word = plan.operations[worker]?.[next[worker] as number];
        if (word === undefined) return false;
        if ((word & 3) < ACT.free) there.add(word >>> 2);
        else if (!there.delete(word >>> 2)) return false;
        next[worker] = (next[worker] as number) + 1;
        return true;
      };
      while (next.some((_, worker) => step(worker)));
      assert.deepEqual(
        next,
        plan.operations.map((words) => words.length),
      );
      assert.equal(there.size, 0);
    }),
  );
});

test("ids of one worker's allocations follow each other", () => {
  const plan = makePlan(parse("a 0 1 0\na 1 2 1\na 2 3 0\nf 0 1\n"), 2);
  assert.deepEqual(
    [...(plan.operations[0] as Uint32Array)],
    [0 * 4 + ACT.allocRemote, 1 * 4 + ACT.alloc, 1 * 4 + ACT.free],
  );
  assert.deepEqual(
    [...(plan.operations[1] as Uint32Array)],
    [2 * 4 + ACT.alloc, 0 * 4 + ACT.freeRemote, 2 * 4 + ACT.free],
  );
  assert.deepEqual([...plan.sizes], [1, 3, 2]);
  assert.deepEqual(plan.remote, { objects: 1, bytes: 1 });
});

test("a trace of one thread is spread by slot, and nothing is freed elsewhere", () => {
  const plan = makePlan(parse("a 0 1 5\na 1 2 5\na 2 3 5\nf 1 5\n"), 2);
  assert.deepEqual(
    plan.operations.map((words) => words.length),
    [4, 2],
  );
  assert.ok([...livesOf(plan).allocs.values()].every(({ remote }) => !remote));
});

test("all tables are shared memory", () => {
  const plan = makePlan(parse("a 0 1 0\n"), 3);
  for (const words of [...plan.operations, plan.sizes]) assert.ok(words.buffer instanceof SharedArrayBuffer);
  assert.equal(plan.operations[2]?.length, 0);
});
