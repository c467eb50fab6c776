/** freeRcu: what is reused when, wrong calls, nested calls, and the batches on which objects wait. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type MemAlloc, type MemCache, SharedHeap } from "sharedheap";
import { HAND_BUSY, HAND_IDLE, OBJECT_CHECK, RCU_BATCH, RCU_BATCH_EXTRA } from "#src/memalloc/layout.js";
import { UNIT_SIZES, watermarksOf } from "#src/memalloc/sizes.js";
import {
  allocMany,
  booksOf,
  changesNothing,
  cpusOf,
  exhaust,
  homeOf,
  MIB,
  oneCpu,
  refuses,
  setHand,
  settle,
  stockOf,
  usedObjects,
} from "./heaps.ts";

type Pool = MemAlloc | MemCache;

/** Both kinds of allocators, for objects of that size, on each CPU. */
const ALLOCATORS: [string, (heap: SharedHeap, size: number) => Pool][] = [
  ["MemAlloc", (heap) => heap.memAlloc({ name: "pool" })],
  ["MemCache", (heap, size) => heap.memCache({ name: "pool", size })],
];

/** What keeps objects from being reused: a section on one of the CPUs. Returns its end. */
const SECTIONS: [string, (heaps: readonly SharedHeap[]) => () => void][] = [
  ["another CPU", ([, , reader]) => sectionOf(reader)],
  ["the CPU that freed", ([, freer]) => sectionOf(freer)],
  ["the CPU that allocated", ([home]) => sectionOf(home)],
];

function sectionOf({ rcu }: SharedHeap): () => void {
  rcu.readLock();
  return () => rcu.readUnlock();
}

/** Objects on a CPU's batch that serves the size of `p`; `p` is of that CPU. */
function batchOf(heap: SharedHeap, cache: number): number {
  const first = heap.i32[cache + RCU_BATCH];
  return first === 0 ? 0 : heap.i32[first + OBJECT_CHECK];
}

describe("an object that a reader may see", () => {
  for (const [name, open] of ALLOCATORS) {
    for (const [where, begin] of SECTIONS) {
      test(`${name}: is handed out by no CPU while a section is open on ${where}, and is after it`, () => {
        for (const unit of UNIT_SIZES) {
          const heaps = cpusOf(3, { bytes: MIB });
          const pools = heaps.map((heap) => open(heap, unit - 8));
          const objects = allocMany(pools[0], unit - 8, 60);
          for (const p of objects) heaps[0].u8.fill(0xa5, p, p + unit - 8);
          const end = begin(heaps);
          for (const p of objects) pools[1].freeRcu(p);
          for (const heap of heaps) settle(heap);
          const seen = new Set(objects);
          const others = pools.flatMap((pool) => exhaust(pool, unit - 8));
          assert.ok(!others.some((p) => seen.has(p)), `unit ${unit}: an object was reused`);
          const isWhole = (p: number) => heaps[0].u8.subarray(p, p + unit - 8).every((byte) => byte === 0xa5);
          assert.ok(objects.every(isWhole), `unit ${unit}: an object was overwritten`);
          heaps[0].checkInvariants();
          end();
          for (const heap of heaps) settle(heap);
          const again = pools.flatMap((pool) => exhaust(pool, unit - 8)).filter((p) => seen.has(p));
          assert.ok(again.length >= 40, `unit ${unit}: ${again.length} came back`);
          heaps[0].checkInvariants();
        }
      });
    }
  }

  test("stays out of reach of everything else, too: other sizes, other allocators, kmalloc", () => {
    const heaps = cpusOf(3, { bytes: MIB });
    const pools = heaps.map((heap) => heap.memAlloc({ name: "pool" }));
    const objects = allocMany(pools[0], 500, 200);
    const end = sectionOf(heaps[2]);
    for (const p of objects) pools[1].freeRcu(p);
    settle(heaps[1]);
    const seen = (p: number, bytes: number) => objects.some((q) => p < q + 500 && q < p + bytes);
    for (const size of [8, 248, 1000, 4088])
      assert.ok(!exhaust(pools[0], size).some((p) => seen(p, size)), `size ${size}`);
    const blocks = exhaust({ alloc: (n) => heaps[0].kmalloc(n), free: () => {} }, 4096);
    assert.ok(!blocks.some((p) => seen(p, 4096)));
    end();
    settle(heaps[1]);
    assert.notEqual(heaps[0].kmalloc(4096), 0);
    heaps[0].checkInvariants();
  });

  test("with sections that follow each other without a gap, comes back all the same", () => {
    const [a, b] = cpusOf(2, { bytes: MIB });
    const pool = a.memCache({ name: "pool", size: 56 });
    const objects = allocMany(pool, 56, 480);
    for (const p of objects) pool.freeRcu(p);
    b.rcu.readLock();
    for (let i = 0; i < 10; i++) {
      b.rcu.readUnlock();
      b.rcu.readLock();
      a.poll();
    }
    assert.ok(booksOf(a, "pool").listed <= 96);
  });

  test("without readers comes back with the next poll, to the stock of its home if that has room", () => {
    const [a] = cpusOf(2, { bytes: MIB });
    const pool = a.memCache({ name: "pool", size: 56 });
    const objects = allocMany(pool, 56, 48);
    const cache = homeOf(a, objects[0]);
    while (stockOf(a, cache) > 40) objects.push(pool.alloc());
    const freed = objects.slice(0, 48);
    const { taken } = booksOf(a, "pool");
    for (const p of freed) pool.freeRcu(p);
    a.poll();
    assert.equal(stockOf(a, cache), 40 + 48);
    a.context.nmi(() => {
      const again = exhaust(pool, 56);
      assert.ok(freed.every((p) => again.includes(p)));
      assert.equal(booksOf(a, "pool").taken, taken);
    });
    a.checkInvariants();
  });
});

describe("wrong calls", () => {
  const lies = [1, -1, 12, 1.5, 4096, MIB, 2 ** 32, Number.NaN, Infinity, undefined, null, "4104", {}, []];
  for (const [name, open] of ALLOCATORS) {
    test(`${name}: freeRcu refuses what free refuses, and changes nothing`, () => {
      const heap = oneCpu({ bytes: MIB });
      const pool = open(heap, 64);
      const p = pool.alloc(64);
      for (const lie of lies)
        refuses(heap, "bad-pointer", () => pool.freeRcu(lie as number), `freeRcu(${String(lie)})`);
      for (const near of [p + 1, p + 4, p + 8, p - 8]) refuses(heap, "bad-pointer", () => pool.freeRcu(near));
      const other = heap.memCache({ name: "other", size: 64 }).alloc();
      refuses(heap, "wrong-cache", () => pool.freeRcu(other));
      changesNothing(heap, () => pool.freeRcu(0));
      pool.freeRcu(p);
    });

    test(`${name}: a second free of either kind is told, wherever the object waits`, () => {
      const [a, b] = cpusOf(2, { bytes: MIB });
      const pool = open(a, 64);
      const { batch } = watermarksOf(72);
      const objects = allocMany(pool, 64, 2 * batch + 5);
      const twice = (p: number, where: string): void => {
        refuses(a, "double-free", () => pool.free(p), `free, ${where}`);
        refuses(a, "double-free", () => pool.freeRcu(p), `freeRcu, ${where}`);
      };
      const end = sectionOf(b);
      const section = b.rcu.tasksTrace.enter();
      for (const p of objects) {
        pool.freeRcu(p);
        twice(p, "just freed");
      }
      for (const p of objects) twice(p, "in a batch or a chain");
      settle(a);
      for (const p of objects) twice(p, "waiting for RCU");
      end();
      settle(a);
      for (const p of objects) twice(p, "on the free list, or waiting for tasks trace");
      section.exit();
      settle(a);
      const q = pool.alloc(64);
      pool.free(q);
      twice(q, "freed with free");
    });

    test(`${name}: after detach freeRcu is refused`, () => {
      const [a, b] = cpusOf(2, { bytes: MIB });
      const pool = open(b, 64);
      const p = pool.alloc(64);
      b.detach();
      for (const each of [p, p + 8, 24]) refuses(a, "detached", () => pool.freeRcu(each));
      changesNothing(a, () => pool.freeRcu(0));
      open(a, 64).freeRcu(p);
      a.checkInvariants();
    });
  }

  test("ZERO_SIZE_PTR is ignored", () => {
    const heap = oneCpu({ bytes: MIB });
    const pool = heap.memAlloc({ name: "pool" });
    changesNothing(heap, () => pool.freeRcu(pool.alloc(0)));
  });
});

describe("batches", () => {
  for (const unit of [16, 256, 512, 4096]) {
    test(`unit ${unit}: gather a chain's worth of objects, or what there is at the end of the turn`, () => {
      const [a, b] = cpusOf(2, { bytes: MIB });
      const pool = a.memAlloc({ name: "pool" });
      const { batch } = watermarksOf(unit);
      const objects = allocMany(pool, unit - 8, 2 * batch);
      const cache = homeOf(a, objects[0]);
      const end = sectionOf(b);
      objects.forEach((p, i) => {
        pool.freeRcu(p);
        assert.equal(batchOf(a, cache), (i + 1) % batch);
        a.checkInvariants();
      });
      pool.freeRcu(pool.alloc(unit - 8));
      assert.equal(batchOf(a, cache), batch === 1 ? 0 : 1);
      a.poll();
      assert.equal(batchOf(a, cache), 0);
      assert.equal(booksOf(a, "pool").out, 0);
      end();
      settle(a);
      a.checkInvariants();
    });
  }

  test("end with the turn on each CPU, and in each bucket", () => {
    const heaps = cpusOf(3);
    const pools = heaps.map((heap) => heap.memAlloc({ name: "pool" }));
    for (const unit of UNIT_SIZES) {
      const objects = allocMany(pools[0], unit - 8, 9);
      objects.forEach((p, i) => {
        pools[i % 3].freeRcu(p);
      });
    }
    for (const heap of heaps) settle(heap);
    for (const { cpu } of heaps[0].stats().cpus)
      for (const unit of UNIT_SIZES) {
        const cache = homeOf(heaps[cpu], pools[cpu].alloc(unit - 8));
        assert.equal(batchOf(heaps[0], cache), 0, `CPU ${cpu}, unit ${unit}`);
      }
    heaps[0].checkInvariants();
  });

  test("objects of several homes may share one: nothing is lost", () => {
    const heaps = cpusOf(3, { bytes: MIB });
    const pools = heaps.map((heap) => heap.memCache({ name: "pool", size: 56 }));
    for (let i = 0; i < 2000; i++) pools[(i * 7) % 3].freeRcu(pools[i % 3].alloc());
    heaps[0].checkInvariants();
    assert.equal(booksOf(heaps[0], "pool").out, 0);
    for (const heap of heaps) heap.detach();
    assert.equal(usedObjects(heaps[0]), 0);
  });
});

describe("a freeRcu that is nested in a call on the same cache", () => {
  test("waits on a list of its own until work fetches it, and then for readers", () => {
    const [a, b] = cpusOf(2, { bytes: MIB });
    const pool = a.memCache({ name: "pool", size: 64 });
    const objects = allocMany(pool, 64, 60);
    const cache = homeOf(a, objects[0]);
    const end = sectionOf(b);
    setHand(a, cache, HAND_BUSY);
    for (const p of objects) {
      pool.freeRcu(p);
      assert.throws(() => pool.freeRcu(p), { code: "double-free" });
    }
    assert.deepEqual([batchOf(a, cache), a.i32[cache + RCU_BATCH_EXTRA] !== 0], [0, true]);
    a.poll();
    assert.equal(batchOf(a, cache), 0, "the cache is busy yet");
    setHand(a, cache, HAND_IDLE);
    a.poll();
    a.checkInvariants();
    assert.equal(booksOf(a, "pool").out, 0);
    const seen = new Set(objects);
    assert.ok(!exhaust(pool, 64).some((p) => seen.has(p)));
    end();
    assert.ok(seen.has(pool.alloc()), "out of memory is no reason any more");
    a.checkInvariants();
  });

  test("does not need a poll: the next work on the cache fetches it", () => {
    const heap = oneCpu({ bytes: MIB });
    const pool = heap.memCache({ name: "pool", size: 64 });
    const objects = allocMany(pool, 64, 100);
    const cache = homeOf(heap, objects[0]);
    setHand(heap, cache, HAND_BUSY);
    for (const p of objects.splice(0, 20)) pool.freeRcu(p);
    setHand(heap, cache, HAND_IDLE);
    for (let i = 0; heap.i32[cache + RCU_BATCH_EXTRA] !== 0; i++) {
      assert.ok(i < 97);
      pool.alloc();
    }
    heap.checkInvariants();
  });

  test("in a declared context runs nothing: chains wait until it ends", () => {
    for (const kind of ["softirq", "hardirq", "nmi"] as const) {
      const heap = oneCpu({ bytes: MIB });
      const pool = heap.memCache({ name: "pool", size: 64 });
      const objects = allocMany(pool, 64, 1000);
      const { taken } = booksOf(heap, "pool");
      heap.context[kind](() => {
        for (const p of objects) pool.freeRcu(p);
        heap.poll();
        assert.equal(booksOf(heap, "pool").taken, taken);
      });
      heap.checkInvariants();
      settle(heap);
      assert.ok(booksOf(heap, "pool").listed <= 96);
      heap.checkInvariants();
    }
  });
});

describe("detach", () => {
  test("with objects in batches, under a reader: others bring them back after it", () => {
    const [a, b, reader] = cpusOf(3);
    const pool = b.memAlloc({ name: "pool" });
    const any = a.memAlloc({ name: "pool" });
    const objects = UNIT_SIZES.flatMap((unit) => allocMany(pool, unit - 8, 30));
    const end = sectionOf(reader);
    for (const p of objects) pool.freeRcu(p);
    b.detach();
    a.checkInvariants();
    settle(a);
    const { out, listed } = booksOf(a, "pool");
    assert.equal(out, 0);
    assert.ok(listed >= objects.length, "all of it waits for the reader");
    end();
    settle(a);
    any.free(any.alloc(8));
    assert.ok(a.stats().cpus[b.cpu].listedBytes === 0, "nothing stays with the CPU that is gone");
    a.checkInvariants();
    for (const heap of [a, reader]) heap.detach();
    assert.equal(usedObjects(a), 0);
  });

  test("by the last thread under no reader leaves nothing", () => {
    const heap = oneCpu();
    const pool = heap.memAlloc({ name: "pool" });
    for (const unit of UNIT_SIZES) for (const p of allocMany(pool, unit - 8, 100)) pool.freeRcu(p);
    heap.detach();
    assert.equal(usedObjects(heap), 0);
    heap.checkInvariants();
  });

  test("what a CPU left waiting is finished by its next thread", () => {
    const [a, b] = cpusOf(2);
    const pool = b.memAlloc({ name: "pool" });
    const objects = allocMany(pool, 100, 500);
    const end = sectionOf(a);
    for (const p of objects) pool.freeRcu(p);
    b.detach();
    end();
    const next = SharedHeap.attach(a.token, { turns: false });
    assert.equal(next.cpu, b.cpu);
    settle(next);
    assert.equal(usedObjects(a), 0);
    a.checkInvariants();
  });
});

describe("while nobody reads, objects freed with freeRcu are used again", () => {
  for (const [name, open] of ALLOCATORS) {
    test(`${name}: without a grace period, or new memory`, () => {
      for (const unit of UNIT_SIZES) {
        const [heap] = cpusOf(3, { bytes: MIB });
        const pool = open(heap, unit - 8);
        const pairs = (count: number) => {
          for (let i = 0; i < count; i++) pool.freeRcu(pool.alloc(unit - 8));
        };
        pairs(500);
        const before = heap.stats();
        pairs(2000);
        const after = heap.stats();
        assert.equal(after.rcu.periods, before.rcu.periods, `unit ${unit}`);
        assert.equal(after.pages.peak, before.pages.peak, `unit ${unit}`);
        heap.checkInvariants();
      }
    });
  }
});
