/** Objects that are allocated on one CPU and freed on another. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type MemAlloc, SharedHeap } from "sharedheap";
import { CHAINS, FREE_BY_RCU_TTRACE } from "#src/memalloc/layout.js";
import { UNIT_SIZES } from "#src/memalloc/sizes.js";
import { allocMany, booksOf, cpusOf, freeAll, homeOf, MIB, settle, usedObjects } from "./heaps.ts";

function pairOf(options = {}): { heaps: SharedHeap[]; producer: MemAlloc; consumer: MemAlloc } {
  const heaps = cpusOf(2, options);
  const [producer, consumer] = heaps.map((heap) => heap.memAlloc({ name: "any" }));
  return { heaps, producer, consumer };
}

for (const size of [8, 60, 248, 500, 4088]) {
  test(`a producer and a consumer of ${size} bytes go on for ever in bounded memory`, () => {
    const { heaps, producer, consumer } = pairOf();
    const pass = (count: number) => {
      for (let i = 0; i < count; i++) {
        const p = producer.alloc(size);
        assert.notEqual(p, 0);
        consumer.free(p);
      }
    };
    pass(2000);
    const settled = heaps[0].stats().pages.peak;
    pass(100_000);
    assert.ok(
      heaps[0].stats().pages.peak <= settled + 4,
      `${heaps[0].stats().pages.peak} pages, were ${settled}`,
    );
    assert.equal(booksOf(heaps[0], "any").out, 0);
    heaps[0].checkInvariants();
  });
}

test("the consumer's trims become the producer's refills", () => {
  const { heaps, producer, consumer } = pairOf();
  const pass = (count: number) => {
    for (let i = 0; i < count; i++) consumer.free(producer.alloc(60));
  };
  pass(1000);
  const before = booksOf(heaps[0], "any");
  pass(48 * 100);
  const after = booksOf(heaps[0], "any");
  assert.ok(after.trims - before.trims >= 99, `${after.trims - before.trims} trims`);
  assert.ok(after.refills - before.refills >= 60, `${after.refills - before.refills} refills`);
  assert.ok(Math.abs(after.taken - before.taken) <= 96, "objects come back instead of being taken from slab");
});

test("a chain goes to the list of its home, not of the CPU that trims", () => {
  const { heaps, producer, consumer } = pairOf();
  const objects = allocMany(producer, 60, 97);
  const home = homeOf(heaps[0], objects[0]);
  while (booksOf(heaps[0], "any").trims === 0) consumer.free(objects.pop() as number);
  const own = homeOf(heaps[1], consumer.alloc(60));
  assert.notEqual(heaps[0].i32[home + FREE_BY_RCU_TTRACE], 0);
  assert.equal(heaps[0].i32[own + FREE_BY_RCU_TTRACE], 0);
});

test("a chain whose home is offline goes to slab", () => {
  const { heaps, producer, consumer } = pairOf();
  const objects = UNIT_SIZES.map((unit) => allocMany(producer, unit - 8, 300));
  heaps[0].detach();
  for (const list of objects) freeAll(consumer, list);
  settle(heaps[1]);
  const { trims, listed, out } = booksOf(heaps[1], "any");
  assert.ok(trims >= UNIT_SIZES.length);
  assert.equal(out, 0);
  assert.ok(heaps[1].stats().cpus[0].listedBytes === 0, "nothing waits for a CPU that is gone");
  assert.ok(listed <= 7 * 97 + 49 + 25 + 13 + 7);
  heaps[1].checkInvariants();
  heaps[1].detach();
  assert.equal(usedObjects(heaps[1]), 0);
});

test("a chain goes to slab if its home's new thread has not opened the allocator", () => {
  const [a, b] = cpusOf(2);
  const kept = a.memCache({ name: "kept", size: 60 });
  const objects = allocMany(b.memCache({ name: "kept", size: 60 }), 60, 97);
  b.detach();
  const successor = SharedHeap.attach(a.token);
  assert.equal(successor.cpu, b.cpu);
  while (booksOf(a, "kept").trims === 0) kept.free(objects.pop() as number);
  a.checkInvariants();
  freeAll(kept, objects);
  successor.detach();
  a.detach();
  assert.equal(usedObjects(a), 0, "objects left on the closed cache of a CPU that is online");
  a.checkInvariants();
});

test("a producer whose CPU changes hands now and then leaves nothing behind", () => {
  const rounds = fc.array(
    fc.record({ count: fc.integer({ min: 1, max: 250 }), size: fc.integer({ min: 1, max: 4088 }) }),
    {
      maxLength: 12,
    },
  );
  fc.assert(
    fc.property(rounds, (list) => {
      const [a, b] = cpusOf(2, { bytes: 8 * MIB });
      const consumer = a.memAlloc({ name: "any" });
      b.detach();
      for (const { count, size } of list) {
        const next = SharedHeap.attach(a.token);
        const objects = allocMany(next.memAlloc({ name: "any" }), size, count);
        next.detach();
        freeAll(consumer, objects);
        a.checkInvariants();
        assert.equal(booksOf(a, "any").out, 0);
      }
      a.detach();
      assert.equal(usedObjects(a), 0);
    }),
    { numRuns: 25 },
  );
});

test("polls leave the producer what its refills have use for, and in the end send all of it on", () => {
  const { heaps, producer, consumer } = pairOf();
  const [{ i32 }] = heaps;
  /** Each polls once in 1,024 objects. Returns how many of them came from slab: these are zeros. */
  const pass = (polls: number) => {
    let fresh = 0;
    for (let go = 0; go < 16 * polls; go++) {
      if (go % 8 === 0) heaps[(go / 8) % 2].poll();
      for (const p of allocMany(producer, 60, 64)) {
        if (i32[p >>> 2] === 0) fresh++;
        i32[p >>> 2] = 1;
        consumer.free(p);
      }
    }
    return fresh;
  };
  pass(10);
  const fresh = pass(100);
  assert.ok(fresh < 1024, `${fresh} objects of 102,400 came from slab`);
  settle(heaps[0]);
  const home = homeOf(heaps[0], producer.alloc(60));
  assert.deepEqual([i32[home + FREE_BY_RCU_TTRACE], i32[home + CHAINS]], [0, 0]);
  heaps[0].checkInvariants();
});

for (const objects of [64, 640])
  test(`a thread that is idle looks at the homes of busy ones no more often than turns slow down to: ${objects} objects at a time`, (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    // Node's own wait for a millisecond at least
    const { setTimeout: mocked } = globalThis;
    t.mock.method(globalThis, "setTimeout", (fn: () => void, ms: number) => mocked(fn, Math.max(ms, 1)));
    const { heaps, producer, consumer } = pairOf({ maxCpus: 3 });
    const idle = SharedHeap.attach(heaps[0].token, { turns: true });
    let looks = 0;
    idle.tracepoints.on("rcu:callbacks", () => looks++);
    const MS = 1000;
    for (let i = 0; i < MS; i++) {
      for (const p of allocMany(producer, 60, objects)) consumer.free(p);
      t.mock.timers.tick(1);
    }
    assert.ok(looks > 1 && looks < MS / 5, `${looks} looks in ${MS} ms`);
    for (const heap of [idle, ...heaps]) heap.detach();
  });
