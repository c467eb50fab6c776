/** Threads that are watched by the locks they hold, with locks that the test gives out: the races. test/browser has real ones. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { SharedHeap } from "sharedheap";
import type { Booted } from "#src/boot.js";
import type { CpuInfo } from "#src/cpu/index.js";
import { Presence, PresenceWatch } from "#src/presence.js";
import { cpusOf } from "../memalloc/heaps.ts";

type Callback = (lock: unknown) => Promise<void> | undefined | void;

/** Longer than a watcher's pause, as the clock of the test counts. */
const LOOK_MS = 300;

/** A lock manager of which nothing is heard until the test says so. */
class FakeLocks {
  readonly held = new Set<string>();
  private waiting: { name: string; isPolite: boolean; callback: Callback; resolve: () => void }[] = [];

  request(name: string, { ifAvailable = false }, callback: Callback): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push({ name, isPolite: ifAvailable, callback, resolve });
    });
  }

  /** Names that are asked for. */
  get asked(): string[] {
    return this.waiting.map(({ name }) => name);
  }

  /** Answers all that have asked. */
  async answer(): Promise<void> {
    const all = this.waiting;
    this.waiting = [];
    for (const request of all) {
      if (!this.held.has(request.name)) void this.grant(request);
      else if (request.isPolite) {
        request.callback(null);
        request.resolve();
      } else this.waiting.push(request);
    }
    await ticks();
  }

  private async grant({ name, callback, resolve }: (typeof this.waiting)[0]): Promise<void> {
    this.held.add(name);
    await callback({ name });
    this.held.delete(name);
    resolve();
  }
}

async function ticks(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

function layersOf(heap: SharedHeap): Booted {
  return (heap as unknown as { booted: Booted }).booted;
}

/** A heap's two CPUs, the locks, and what the first one's watcher finds. */
function setUp(count = 2) {
  const [heap, ...others] = cpusOf(count);
  const locks = new FakeLocks();
  const dead: CpuInfo[] = [];
  const watch = new PresenceWatch(layersOf(heap), locks, (info) => {
    dead.push(info);
    heap.reap(info.cpu, { surelyGone: true, generation: info.generation });
  });
  return { heap, others, locks, dead, watch };
}

/** A look of the watchers, and the answers to what they ask. */
async function look(mock: { timers: { tick: (ms: number) => void } }, locks: FakeLocks): Promise<void> {
  mock.timers.tick(LOOK_MS);
  await ticks();
  await locks.answer();
}

test("who has its lock is there; who has lost it is dead, once", async ({ mock }) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { heap, others, locks, dead, watch } = setUp();
  new Presence(layersOf(others[0]), locks);
  await locks.answer();
  const [name] = locks.held;
  for (let i = 0; i < 3; i++) await look(mock, locks);
  assert.deepEqual(dead, []);
  locks.held.delete(name);
  for (let i = 0; i < 3; i++) await look(mock, locks);
  assert.deepEqual(
    dead.map(({ cpu, generation }) => [cpu, generation]),
    [[1, 1]],
  );
  assert.equal(heap.cpus()[1].state, "free");
  watch.end();
});

test("who has no lock yet is not asked for, nor the watcher itself", async ({ mock }) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { heap, others, locks, dead, watch } = setUp();
  new Presence(layersOf(others[0]), locks);
  new Presence(layersOf(heap), locks);
  mock.timers.tick(LOOK_MS);
  await ticks();
  assert.deepEqual(locks.asked.length, 2, "only their owners ask");
  await locks.answer();
  mock.timers.tick(LOOK_MS);
  await ticks();
  assert.deepEqual(locks.asked.length, 1, "the other one's");
  await locks.answer();
  assert.deepEqual(dead, []);
  watch.end();
});

test("a thread that detaches while its lock is asked for is not dead, nor the next one with its CPU", async ({
  mock,
}) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { heap, others, locks, dead, watch } = setUp();
  const presence = new Presence(layersOf(others[0]), locks);
  await locks.answer();
  mock.timers.tick(LOOK_MS);
  await ticks();
  others[0].detach();
  presence.end();
  await ticks();
  const [next] = cpusOfHeap(heap);
  const late = new Presence(layersOf(next), locks);
  // granted to the watcher: the lock of the first generation is free
  await locks.answer();
  await look(mock, locks);
  assert.deepEqual(dead, []);
  assert.equal(heap.cpus()[1].state, "online");
  next.detach();
  late.end();
  watch.end();
});

test("a thread that detaches before it is given its lock lets it go at once, and says nothing", async ({
  mock,
}) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { heap, others, locks, watch } = setUp();
  const presence = new Presence(layersOf(others[0]), locks);
  others[0].detach();
  presence.end();
  const [next] = cpusOfHeap(heap);
  await locks.answer();
  assert.equal(locks.held.size, 0);
  assert.equal(layersOf(heap).cpus.isWatched(1, 1), false);
  assert.equal(layersOf(heap).cpus.isWatched(1, 2), false);
  next.detach();
  watch.end();
});

test("two watchers: the CPU is reaped once", async ({ mock }) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { heap, others, locks, dead, watch } = setUp(3);
  const second = new PresenceWatch(layersOf(others[0]), locks, (info) => {
    if (others[0].reap(info.cpu, { surelyGone: true, generation: info.generation })) dead.push(info);
  });
  new Presence(layersOf(others[1]), locks);
  await locks.answer();
  locks.held.clear();
  for (let i = 0; i < 4; i++) await look(mock, locks);
  assert.equal(dead.length, 1);
  assert.equal(heap.cpus()[2].state, "free");
  watch.end();
  second.end();
});

test("a CPU that was marked dead by a watcher that ended itself is reaped by another", async ({ mock }) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { heap, others, locks, dead, watch } = setUp();
  layersOf(others[0]).cpus.markDead(1, 1);
  await look(mock, locks);
  assert.equal(dead.length, 1);
  assert.equal(heap.cpus()[1].state, "free");
  watch.end();
});

test("a watch that has ended judges nobody", async ({ mock }) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { others, locks, dead, watch } = setUp();
  new Presence(layersOf(others[0]), locks);
  await locks.answer();
  mock.timers.tick(LOOK_MS);
  await ticks();
  locks.held.clear();
  watch.end();
  await locks.answer();
  mock.timers.tick(LOOK_MS);
  await ticks();
  assert.deepEqual([dead, locks.asked], [[], []]);
});

test("heaps have locks of different names", async () => {
  const names = [0, 1].map(() => {
    const { heap, locks, watch } = setUp();
    new Presence(layersOf(heap), locks);
    watch.end();
    return locks.asked[0];
  });
  assert.notEqual(names[0], names[1]);
});

function cpusOfHeap(heap: SharedHeap): SharedHeap[] {
  const Heap = heap.constructor as typeof SharedHeap;
  return [Heap.attach(heap.token, { turns: false })];
}
