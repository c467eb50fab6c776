/** Who finishes what is pending, and who delays whom: event loops, threads that compute, threads that are blocked. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { describe, type TestContext, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { SharedHeap } from "sharedheap";
import { booksOf, MIB, settle } from "../memalloc/heaps.ts";
import type { Job } from "./rcu-worker.ts";

/** For what must happen: much longer than it takes, since the machine may be busy. */
const PATIENCE_MS = 20_000;
/** Objects that two CPUs may keep: a free list and a part of a chain each. */
const LEFT = 2 * (97 + 47);
/** For what must not happen. */
const DOUBT_MS = 300;

async function eventually(what: string, isSo: () => boolean): Promise<number> {
  const start = performance.now();
  while (!isSo()) {
    assert.ok(performance.now() - start < PATIENCE_MS, what);
    await setTimeout(5);
  }
  return Math.round(performance.now() - start);
}

/** Whether the promise has resolved; set later. */
function watch(promise: Promise<void>): { isDone: boolean } {
  const watched = { isDone: false };
  void promise.then(() => {
    watched.isDone = true;
  });
  return watched;
}

interface Thread {
  readonly gate: Int32Array;
  end(): Promise<void>;
}

function newHeap(turns = true): SharedHeap {
  return SharedHeap.create({ bytes: 4 * MIB, maxCpus: 3, turns });
}

/** Another thread on the heap, which has got to where the job says. */
async function startThread(
  context: TestContext,
  heap: SharedHeap,
  job: Omit<Job, "token" | "gate">,
): Promise<Thread> {
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL("./rcu-worker.js", import.meta.url), {
    workerData: { ...job, token: heap.token, gate },
  });
  const exit = once(worker, "exit");
  context.after(() => worker.terminate());
  await once(worker, "message");
  const end = async (): Promise<void> => {
    open(gate, 2);
    assert.deepEqual(await exit, [0]);
    heap.checkInvariants();
    heap.detach();
  };
  return { gate, end };
}

function open(gate: Int32Array, to: number): void {
  Atomics.store(gate, 0, to);
  Atomics.notify(gate, 0);
}

/** All that a program can wait for, of both kinds. */
function askAll({ rcu }: SharedHeap): Record<"rcu" | "trace", { isDone: boolean }[]> {
  const ask = (api: typeof rcu | typeof rcu.tasksTrace): { isDone: boolean }[] => [
    watch(api.synchronize()),
    watch(new Promise((resolve) => api.call(resolve))),
    watch(new Promise((resolve) => api.callHurry(resolve))),
    watch(api.barrier()),
  ];
  return { rcu: ask(rcu), trace: ask(rcu.tasksTrace) };
}

describe("another thread that does not return to its event loop", () => {
  for (const how of ["computing", "blocked"] as const) {
    test(`outside sections delays nobody, ${how}`, async (context) => {
      const heap = newHeap();
      const thread = await startThread(context, heap, { where: "outside", how, frees: 0 });
      const asked = askAll(heap);
      const all = [...asked.rcu, ...asked.trace];
      const took = await eventually("a grace period ends", () => all.every(({ isDone }) => isDone));
      context.diagnostic(`${took} ms`);
      await thread.end();
    });

    for (const where of ["rcu", "trace"] as const) {
      test(`inside a section delays grace periods of that kind alone, ${where}, ${how}`, async (context) => {
        const heap = newHeap();
        const thread = await startThread(context, heap, { where, how, frees: 0 });
        const asked = askAll(heap);
        const other = asked[where === "rcu" ? "trace" : "rcu"];
        await eventually("the other kind ends", () => other.every(({ isDone }) => isDone));
        await setTimeout(DOUBT_MS);
        assert.ok(
          asked[where].every(({ isDone }) => !isDone),
          "while the section is open",
        );
        open(thread.gate, 1);
        await eventually("its own kind ends after it", () => asked[where].every(({ isDone }) => isDone));
        await thread.end();
      });
    }
  }

  for (const frees of [1000, 4096]) {
    test(`blocked after it freed ${frees} objects: an idle thread brings them back to slab`, async (context) => {
      const heap = newHeap();
      const section = heap.rcu.tasksTrace.enter();
      const thread = await startThread(context, heap, { where: "outside", how: "blocked", frees });
      assert.ok(booksOf(heap, "fixed").taken >= frees, "all of it is on its way");
      section.exit();
      const took = await eventually("it is back", () => booksOf(heap, "fixed").taken <= LEFT);
      context.diagnostic(`${took} ms`);
      const { listed, taken } = booksOf(heap, "fixed");
      assert.equal(listed, taken, "nothing is out");
      await thread.end();
    });
  }

  test("blocked after it freed objects: a thread without turns brings them back by polls", async (context) => {
    const heap = newHeap(false);
    const section = heap.rcu.tasksTrace.enter();
    const thread = await startThread(context, heap, { where: "outside", how: "blocked", frees: 4096 });
    section.exit();
    await setTimeout(DOUBT_MS);
    assert.ok(booksOf(heap, "fixed").taken >= 4096, "nobody looks after it");
    settle(heap);
    assert.ok(booksOf(heap, "fixed").taken <= LEFT);
    await thread.end();
  });

  for (const where of ["rcu", "trace"] as const) {
    test(`blocked inside a section, ${where}: what others freed stays as long`, async (context) => {
      const heap = newHeap();
      const thread = await startThread(context, heap, { where, how: "blocked", frees: 0 });
      const pool = heap.memCache({ name: "fixed", size: 56 });
      for (const p of Array.from({ length: 1000 }, () => pool.alloc())) pool.freeRcu(p);
      await setTimeout(DOUBT_MS);
      assert.ok(booksOf(heap, "fixed").taken >= 1000);
      open(thread.gate, 1);
      await eventually("it is back", () => booksOf(heap, "fixed").taken <= LEFT);
      await thread.end();
    });
  }
});

describe("a program", () => {
  const CHILD = fileURLToPath(new URL("./rcu-child.js", import.meta.url));
  for (const pending of ["nothing", "call", "synchronize", "barrier", "freeRcu"]) {
    test(`ends although a grace period is pending: ${pending}`, () => {
      const output = execFileSync(process.execPath, [CHILD, pending], {
        encoding: "utf8",
        timeout: PATIENCE_MS,
      });
      assert.equal(output, "end of main\n");
    });
  }

  test("drops a heap without detaching: it is collected, though timers watch over it", () => {
    const child = fileURLToPath(new URL("./rcu-collect-child.js", import.meta.url));
    const output = execFileSync(process.execPath, ["--expose-gc", child], {
      encoding: "utf8",
      timeout: PATIENCE_MS,
    });
    assert.deepEqual(JSON.parse(output), { collected: 4, ran: true });
  });
});
