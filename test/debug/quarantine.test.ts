/** The quarantine: how long freed objects stay out of use, how much is held back, and when it is given up. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { SharedHeap } from "sharedheap";
import { QUARANTINE_BYTES, QUARANTINE_OBJECTS, QUARANTINE_SHARE } from "#src/debug/layout.js";
import { settle, usedObjects } from "../memalloc/heaps.ts";
import { debugCpus, debugHeap, MIB, reportOf, says } from "./support.ts";

function held(heap: SharedHeap): { quarantined: number; quarantinedBytes: number } {
  const { debug } = heap.stats();
  assert.ok(debug);
  return debug;
}

describe("a freed object", () => {
  test("is not used again before as many others were freed as quarantine holds, oldest first", () => {
    const heap = debugHeap({ bytes: 16 * MIB });
    const pool = heap.memCache({ name: "fixed", size: 64 });
    const freed: number[] = [];
    for (let i = 0; i < 3 * QUARANTINE_OBJECTS; i++) {
      const p = pool.alloc();
      assert.ok(!freed.slice(-QUARANTINE_OBJECTS).includes(p), `object ${i}`);
      pool.free(p);
      freed.push(p);
    }
    assert.ok(new Set(freed).size < freed.length, "later it is");
  });

  test("of kmalloc too", () => {
    const heap = debugHeap({ bytes: 16 * MIB });
    const freed: number[] = [];
    for (let i = 0; i < 100; i++) {
      const p = heap.kmalloc(1000);
      assert.ok(!freed.includes(p));
      heap.kfree(p);
      freed.push(p);
    }
  });

  test("counts as listed, and is no chain that is missed", () => {
    const heap = debugHeap();
    const pool = heap.memCache({ name: "fixed", size: 64 });
    const objects = Array.from({ length: 10 }, () => pool.alloc());
    for (const p of objects) pool.free(p);
    heap.checkInvariants();
    const [{ taken, listed }] = heap.stats().allocators;
    assert.equal(taken, listed);
    assert.equal(held(heap).quarantined, 10);
  });
});

describe("bounds", () => {
  test("in number and in bytes, on each CPU, whatever is freed", () => {
    const size = fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 20_000 }));
    const bytes = fc.constantFrom(MIB, 2 * MIB, 8 * MIB);
    fc.assert(
      fc.property(
        bytes,
        fc.array(fc.tuple(size, fc.nat(2)), { maxLength: 400, size: "max" }),
        (all, frees) => {
          const heaps = debugCpus(3, { bytes: all });
          const limit = Math.min(QUARANTINE_BYTES, Math.floor(all / QUARANTINE_SHARE / 3));
          for (const [n, cpu] of frees) {
            const p = heaps[0].malloc(n);
            if (p !== 0) heaps[cpu].free(p);
            const { quarantined, quarantinedBytes } = held(heaps[0]);
            assert.ok(quarantined <= 3 * QUARANTINE_OBJECTS);
            assert.ok(quarantinedBytes <= 3 * limit, `${quarantinedBytes} bytes`);
          }
          heaps[0].checkInvariants();
          for (const heap of heaps) heap.detach();
          assert.equal(usedObjects(heaps[0]), 0);
        },
      ),
      { numRuns: 15 },
    );
  });

  test("what is too large for it is given back at once, and found no less when it is freed twice", () => {
    const heap = debugHeap({ bytes: 3 * MIB, maxCpus: 64 });
    const pool = heap.memCache({ name: "large", size: 4088 });
    for (let i = 0; i < 30; i++) {
      const p = pool.alloc();
      heap.u8.fill(i, p, p + 4088);
      pool.free(p);
      assert.equal(held(heap).quarantined, 0);
      reportOf("double-free", () => pool.free(p));
    }
    const p = heap.kmalloc(MIB / 4);
    assert.notEqual(p, 0);
    heap.kfree(p);
    assert.equal(heap.stats().large.blocks, 0);
    reportOf("double-free", () => heap.kfree(p));
    heap.detach();
  });

  test("a loop of frees keeps what leaves quarantine bounded, without a poll", () => {
    for (const kind of ["free", "freeRcu"] as const) {
      const heap = debugHeap({ bytes: 16 * MIB });
      const pool = heap.memCache({ name: "fixed", size: 1000 });
      for (let round = 0; round < 30; round++) {
        const objects = Array.from({ length: 400 }, () => pool.alloc());
        for (const p of objects) pool[kind](p);
      }
      assert.ok(heap.stats().pages.peak < 800, `${kind}: ${heap.stats().pages.peak} pages`);
    }
  });
});

describe("is given up", () => {
  test("by detach, whole: what comes after is used by others", () => {
    const [heap, other] = debugCpus(2);
    const pool = heap.memCache({ name: "fixed", size: 500 });
    const there = other.memCache({ name: "fixed", size: 500 });
    for (let i = 0; i < 300; i++) there.free(pool.alloc());
    other.kfree(heap.kmalloc(10_000));
    assert.ok(held(heap).quarantined > 200);
    other.detach();
    assert.deepEqual([held(heap).quarantined, held(heap).quarantinedBytes], [0, 0]);
    heap.checkInvariants();
    heap.detach();
    assert.equal(usedObjects(heap), 0);
    assert.equal(heap.stats().large.blocks, 0);
  });

  test("before NULL, in task context and elsewhere, for all sizes", () => {
    for (const context of ["task", "nmi"] as const)
      for (const bytes of [8, 500, 4000, 8000, 20_000]) {
        const heap = debugHeap({ bytes: MIB });
        const run = <T>(fn: () => T): T => (context === "nmi" ? heap.context.nmi(fn) : fn());
        const objects: number[] = [];
        for (let p = heap.kmalloc(bytes); p !== 0; p = heap.kmalloc(bytes)) objects.push(p);
        const back = objects.splice(0, 5);
        run(() => {
          for (const p of back) heap.kfree(p);
          const got = back.map(() => heap.kmalloc(bytes));
          assert.ok(!got.includes(0), `${context}, ${bytes} bytes`);
        });
        heap.checkInvariants();
      }
  });

  test("when an allocator goes away, by all threads that hold objects of it", async () => {
    const heaps = debugCpus(3);
    const pools = heaps.map((heap) => heap.memCache({ name: "fixed", size: 64 }));
    for (let i = 0; i < 90; i++) pools[i % 3].free(pools[0].alloc());
    const end = pools[0].destroy();
    heaps[0].poll();
    assert.equal(heaps[0].stats().allocators.length, 1, "others hold some");
    for (let i = 0; i < 20; i++) for (const heap of heaps) heap.poll();
    assert.deepEqual((await end).leaked, []);
    assert.equal(heaps[0].stats().allocators.length, 0);
    for (const heap of heaps) settle(heap);
    assert.equal(usedObjects(heaps[0]), 0);
  });

  test("when what waited for readers comes to a thread that does not have the allocator open", async () => {
    const [heap, other] = debugCpus(2);
    const pool = heap.memCache({ name: "fixed", size: 64 });
    const p = pool.alloc();
    other.rcu.readLock();
    pool.freeRcu(p);
    const end = pool.destroy();
    heap.poll();
    other.rcu.readUnlock();
    other.poll();
    for (let i = 0; i < 20; i++) for (const each of [heap, other]) each.poll();
    assert.deepEqual((await end).leaked, []);
    assert.equal(usedObjects(heap), 0);
  });
});

test("a handler that frees whenever an object leaves does not keep it from ending", () => {
  const heap = debugHeap();
  let calls = 0;
  heap.tracepoints.on("slab:free", () => {
    calls++;
    heap.kfree(heap.kmallocNolock(40));
  });
  for (let i = 0; i < 2000; i++) heap.kfree(heap.kmalloc(40));
  assert.ok(calls > 1000);
  heap.checkInvariants();
  heap.detach();
  assert.equal(usedObjects(heap), 0);
});

test("a thread that died leaves a quarantine: its reaper gives that back, and tells what was written to", () => {
  const [heap, victim] = debugCpus(2);
  const pool = victim.memCache({ name: "fixed", size: 64 });
  const [p, q] = [pool.alloc(), pool.alloc()];
  const kept = pool.alloc();
  pool.free(p);
  pool.freeRcu(q);
  heap.u8[p + 3] = 1;
  heap.reap(victim.cpu, { surelyGone: true });
  assert.equal(heap.stats().debug?.quarantined, 0);
  says(
    reportOf("corrupt", () => heap.poll()),
    "use after free: from offset 3 on",
  );
  assert.ok(heap.audit().isClean);
  assert.deepEqual(heap.verify(), []);
  heap.memCache({ name: "fixed", size: 64 }).free(kept);
  heap.checkInvariants();
});
