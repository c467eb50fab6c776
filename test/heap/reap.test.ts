/** `reap` and `watch`: threads that end without detach. Deaths between any two steps are the checker's: scenarios `reap*`. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { SharedHeap, SharedHeapError } from "sharedheap";
import type { Booted } from "#src/boot.js";
import { enterContext, NMI_SHIFT } from "#src/cpu/index.js";
import { HAND_PUSH, HAND_RCU } from "#src/memalloc/layout.js";
import {
  allocMany,
  booksOf,
  cacheFor,
  cpusOf,
  freeAll,
  nodeOf,
  refuses,
  setHand,
  settle,
  usedObjects,
} from "../memalloc/heaps.ts";

/** A thread's layers. */
function layersOf(heap: SharedHeap): Booted {
  return (heap as unknown as { booted: Booted }).booted;
}

const GONE = { surelyGone: true };

/** A survivor, and a CPU whose thread we take for dead from some moment on. */
function pair() {
  const [heap, victim] = cpusOf(2);
  return { heap, victim };
}

/** Nothing of the victim is left but what its program had, of which there are so many objects. */
function assertReaped(heap: SharedHeap, cpu: number, out: number): void {
  settle(heap);
  heap.checkInvariants();
  assert.equal(heap.cpus()[cpu].state, "free");
  assert.equal(usedObjects(heap) - heap.stats().allocators.reduce((sum, { listed }) => sum + listed, 0), out);
}

describe("reap gives back what a CPU had", () => {
  test("its lists, slabs, batches and the CPU", () => {
    const { heap, victim } = pair();
    const [any, fixed] = [victim.memAlloc({ name: "any" }), victim.memCache({ name: "fixed", size: 100 })];
    const out = [...allocMany(any, 64, 100), ...allocMany(any, 1000, 10)];
    const given = allocMany(fixed, 0, 200);
    for (const p of given.slice(0, 100)) fixed.free(p);
    for (const p of given.slice(100, 130)) fixed.freeRcu(p);
    const block = victim.kmalloc(100);
    assert.equal(heap.reap(1, GONE), true);
    assertReaped(heap, 1, out.length + 70 + 1);
    const own = heap.memAlloc({ name: "any" });
    freeAll(own, out);
    heap.memCache({ name: "fixed", size: 100 });
    assert.equal(booksOf(heap, "any").out, 0);
    assert.equal(booksOf(heap, "fixed").out, 70);
    heap.kfree(block);
    heap.checkInvariants();
  });

  test("its read sections, of both kinds", async () => {
    const { heap, victim } = pair();
    victim.rcu.readLock();
    victim.rcu.tasksTrace.enter();
    let ended = 0;
    void heap.rcu.synchronize().then(() => ended++);
    void heap.rcu.tasksTrace.synchronize().then(() => ended++);
    settle(heap);
    await Promise.resolve();
    assert.equal(ended, 0);
    heap.reap(1, GONE);
    settle(heap);
    await Promise.resolve();
    assert.equal(ended, 2);
    const next = SharedHeap.attach(heap.token, { turns: false });
    assert.equal(next.cpu, 1);
    next.detach();
    heap.checkInvariants();
  });

  test("its stock of charges", () => {
    const { heap, victim } = pair();
    const group = heap.memcg({ name: "group", max: 2 ** 20 });
    victim.memCache({ name: "charged", size: 56, memcg: victim.memcg({ name: "group", max: 2 ** 20 }) });
    assert.ok(group.current > 0);
    heap.reap(1, GONE);
    settle(heap);
    assert.equal(group.current, 0);
    heap.checkInvariants();
  });

  test("what it was in the middle of: contexts, work that was pending", () => {
    const { heap, victim } = pair();
    const pool = victim.memCache({ name: "objects", size: 56 });
    const objects = allocMany(pool, 0, 300);
    // a context that is never left
    const { cpu } = layersOf(victim);
    enterContext(victim.i32, cpu.area, NMI_SHIFT);
    freeAll(pool, objects);
    assert.equal(heap.reap(1, GONE), true);
    assertReaped(heap, 1, 0);
    const next = SharedHeap.attach(heap.token, { turns: false });
    const again = next.memCache({ name: "objects", size: 56 });
    freeAll(again, allocMany(again, 0, 300));
    next.detach();
    heap.checkInvariants();
  });

  test("an allocator that was going away goes", async () => {
    const { heap, victim } = pair();
    const pool = heap.memCache({ name: "objects", size: 56 });
    freeAll(pool, allocMany(victim.memCache({ name: "objects", size: 56 }), 0, 10));
    const end = pool.destroy();
    settle(heap);
    assert.equal(heap.stats().allocators.length, 1);
    heap.reap(1, GONE);
    settle(heap);
    assert.deepEqual(await end, { leaked: [] });
    assertReaped(heap, 1, 0);
  });

  test("with a destructor that this thread was told", () => {
    const { heap, victim } = pair();
    const destroyed: number[] = [];
    heap.destructor("close", (p) => {
      destroyed.push(p);
      refusesNested(() => heap.detach());
    });
    const pool = victim.memCache({ name: "objects", size: 56, dtor: "close" });
    const objects = allocMany(pool, 0, 20);
    freeAll(pool, objects);
    heap.reap(1, GONE);
    settle(heap);
    assert.ok(objects.every((p) => destroyed.includes(p)));
    assertReaped(heap, 1, 0);
  });
});

function refusesNested(call: () => void): void {
  assert.throws(call, (error: unknown) => error instanceof SharedHeapError && error.code === "bad-context");
}

describe("an object in hand goes where it was to go", () => {
  const inHand = (hand: (node: number) => number, alsoListed: boolean): void => {
    const { heap, victim } = pair();
    const pool = victim.memCache({ name: "objects", size: 56 });
    const cache = cacheFor(victim, pool, 56);
    const p = pool.alloc();
    if (alsoListed) pool.free(p);
    setHand(victim, cache, hand(nodeOf(p)));
    heap.reap(1, GONE);
    assertReaped(heap, 1, 0);
  };
  test("popped, and not handed out", () => inHand((node) => node, false));
  test("named, and not popped", () => inHand((node) => node, true));
  test("freed, and not pushed", () => inHand((node) => node + HAND_PUSH, false));
  test("pushed, and still named", () => inHand((node) => node + HAND_PUSH, true));
  test("freed with freeRcu, and not in the batch", () => inHand((node) => node + HAND_RCU, false));
});

describe("who is reaped", () => {
  test("a CPU that is free: nothing to do; one that is online: only if it is surely gone", () => {
    const { heap, victim } = pair();
    victim.detach();
    assert.equal(heap.reap(1, GONE), false);
    const next = SharedHeap.attach(heap.token, { turns: false, name: "worker" });
    assert.match(
      refuses(heap, "bad-option", () => heap.reap(1)),
      /CPU 1 worker is online.*surelyGone/,
    );
    next.detach();
  });

  test("once: the second time there is nothing, and a later thread is not meant", () => {
    const { heap } = pair();
    const { generation } = heap.cpus()[1];
    assert.equal(heap.reap(1, { surelyGone: true, generation }), true);
    assert.equal(heap.reap(1, { surelyGone: true, generation }), false);
    const next = SharedHeap.attach(heap.token, { turns: false });
    assert.equal(heap.reap(1, { surelyGone: true, generation }), false);
    assert.equal(heap.cpus()[1].state, "online");
    next.detach();
  });

  test("not oneself, nor what is no CPU; in task context", () => {
    const { heap } = pair();
    assert.match(
      refuses(heap, "bad-option", () => heap.reap(0, GONE)),
      /detach\(\)/,
    );
    for (const cpu of [-1, 2, 1.5, Number.NaN, "1" as unknown as number])
      refuses(heap, "bad-option", () => heap.reap(cpu, GONE), String(cpu));
    heap.context.softirq(() => refuses(heap, "bad-context", () => heap.reap(1, GONE)));
  });

  test("told to cpu:reap, whose handler may allocate", () => {
    const { heap, victim } = pair();
    const told: number[][] = [];
    const pool = heap.memCache({ name: "pool", size: 64 });
    heap.tracepoints.on("cpu:reap", (...numbers) => {
      told.push(numbers);
      pool.free(pool.alloc());
    });
    const { cpu, generation } = heap.cpus()[victim.cpu];
    heap.reap(cpu, GONE);
    heap.reap(cpu, GONE);
    assert.deepEqual(told, [[cpu, generation]]);
    assertReaped(heap, cpu, 0);
  });

  test("a full heap has room again", () => {
    const { heap } = pair();
    assert.throws(() => SharedHeap.attach(heap.token), /CPU 1.*reap\(\)/);
    heap.reap(1, GONE);
    SharedHeap.attach(heap.token).detach();
  });
});

describe("a reaper that dies", () => {
  test("is reaped, and what it was reaping with it", () => {
    const [heap, second, third] = cpusOf(3);
    const pools = [second, third].map((each) => each.memCache({ name: "objects", size: 56 }));
    const objects = pools.map((pool) => allocMany(pool, 0, 100));
    pools.forEach((pool, i) => {
      freeAll(pool, objects[i].slice(10));
    });
    // the second began to reap the third, and got no further
    const { cpus } = layersOf(second);
    cpus.markDead(2, 1);
    assert.equal(cpus.beginReap(2, 1), true);
    assert.equal(heap.reap(2), false);
    assert.equal(heap.reap(1, GONE), true);
    assertReaped(heap, 2, 20);
    assertReaped(heap, 1, 20);
  });
});

describe("watch", () => {
  const start = (heap: SharedHeap, kind: string): Worker =>
    new Worker(new URL("./reap-worker.js", import.meta.url), { workerData: { token: heap.token, kind } });
  const attached = (worker: Worker) => new Promise((resolve) => worker.once("message", resolve));

  for (const kind of ["terminated", "throws", "exits"]) {
    test(`a worker that ${kind} is reaped`, { timeout: 60_000 }, async () => {
      const heap = SharedHeap.create({ bytes: 8 * 2 ** 20, maxCpus: 2 });
      const worker = start(heap, kind);
      worker.on("error", () => {});
      const reaped = new Promise((resolve) => heap.watch(worker, resolve));
      await attached(worker);
      if (kind === "terminated") void worker.terminate();
      assert.deepEqual(await reaped, { cpu: 1, state: "online", generation: 1, name: "victim" });
      assert.equal(heap.cpus()[1].state, "free");
      heap.detach();
    });
  }

  test("one that detaches is not, and one that nobody watches keeps its CPU until it is", {
    timeout: 60_000,
  }, async () => {
    const heap = SharedHeap.create({ bytes: 8 * 2 ** 20, maxCpus: 2 });
    const good = start(heap, "detaches");
    let told = 0;
    heap.watch(good, () => told++);
    await new Promise((resolve) => good.once("exit", resolve));
    const bad = start(heap, "terminated");
    heap.watch(bad, () => told++)();
    await attached(bad);
    await bad.terminate();
    assert.equal(told, 0);
    assert.equal(heap.cpus()[1].state, "online");
    assert.equal(heap.reap(1, GONE), true);
    heap.detach();
  });

  test("a thread that detaches watches nobody any more", { timeout: 60_000 }, async () => {
    const heap = SharedHeap.create({ bytes: 8 * 2 ** 20, maxCpus: 3 });
    const watcher = SharedHeap.attach(heap.token);
    const worker = start(heap, "terminated");
    watcher.watch(worker, () => assert.fail("it has detached"));
    await attached(worker);
    watcher.detach();
    await worker.terminate();
    assert.equal(heap.cpus()[2].state, "online");
    assert.equal(heap.reap(2, GONE), true);
    heap.detach();
  });

  test("takes workers only", () => {
    const heap = SharedHeap.create();
    for (const worker of [undefined, {}, 3]) refuses(heap, "bad-option", () => heap.watch(worker as never));
    heap.detach();
  });
});

test("a destructor that throws does not keep a CPU from being reaped: it is told later", () => {
  const child = fileURLToPath(new URL("./reap-throwing-child.js", import.meta.url));
  const output = execFileSync(process.execPath, [child], { encoding: "utf8" });
  const told = "uncaught: thrown in a destructor\n";
  assert.equal(output, `true free\nend of main\n${told}${told}`);
});

test("a worker that had several CPUs: all are reaped, also if the program's function throws", async () => {
  const heap = SharedHeap.create({ bytes: 2 ** 22, maxCpus: 4, turns: false });
  const reaped: string[] = [];
  const ends: (() => void)[] = [];
  // this thread, as if it was another one's, which ends
  for (const name of ["one", "two"]) SharedHeap.attach(heap.token, { name, turns: false });
  const { cpus } = layersOf(heap);
  cpus.threadOf = (cpu) => (cpu === 0 ? 1 : 1000);
  const worker = { threadId: 999, once: (_: "exit", fn: () => void) => ends.push(fn), off: () => {} };
  heap.watch(worker, ({ name }) => {
    reaped.push(name);
    throw new Error(name);
  });
  assert.throws(() => ends[0]());
  assert.deepEqual(reaped, ["one", "two"]);
  assert.deepEqual(
    heap.cpus().map(({ state }) => state),
    ["online", "free", "free", "free"],
  );
});
