/** `memcg:charge` and `memcg:fail`: when handlers are called, with what, and what they may do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { GFP_KERNEL, type MemCache, type Memcg, type SharedHeap } from "sharedheap";
import { cpusOf, exhaust, freeAll, MIB, oneCpu, settle } from "../memalloc/heaps.ts";
import { groupOf, KIB, poolOf } from "./groups.ts";

type Event = readonly [name: "charge" | "fail", group: number, bytes: number];

function record(heap: SharedHeap): Event[] {
  const events: Event[] = [];
  for (const name of ["charge", "fail"] as const)
    heap.tracepoints.on(`memcg:${name}`, (group, bytes) => events.push([name, group, bytes]));
  return events;
}

test("memcg:charge gives the group of the allocator, and the bytes that its counter rises by", () => {
  const heap = oneCpu();
  const above = heap.memcg({ name: "above" });
  const below = heap.memcg({ name: "below", parent: above });
  const events = record(heap);
  const pool = poolOf(heap, below);
  for (let i = 0; i < 200; i++) pool.alloc();
  assert.ok(events.every(([name, group]) => name === "charge" && group === below.offset));
  const sum = events.reduce((total, [, , bytes]) => total + bytes, 0);
  assert.deepEqual([below.current, above.current], [sum, sum]);
  heap.checkInvariants();
});

test("memcg:charge is for refills of the stock, not for what comes from it", () => {
  const heap = oneCpu();
  const group = heap.memcg({ name: "group" });
  const pool = heap.memCache({ name: "small", size: 24, memcg: group });
  const events = record(heap);
  const before = group.current;
  for (let i = 0; i < 1000; i++) pool.alloc();
  const most = Math.ceil((1100 * 32) / (4 * KIB));
  assert.ok(events.length > 0 && events.length <= most, `${events.length} for a thousand objects`);
  assert.equal(
    group.current - before,
    events.reduce((total, [, , bytes]) => total + bytes, 0),
  );
});

test("memcg:fail gives the group that is full, be it above the allocator's, and the bytes of the object", () => {
  const heap = oneCpu();
  const above = heap.memcg({ name: "above", max: 64 * KIB });
  const below = heap.memcg({ name: "below", parent: above });
  const pool = poolOf(heap, below);
  const events = record(heap);
  exhaust(pool, 1000);
  const failed = events.filter(([name]) => name === "fail");
  assert.ok(failed.length > 0);
  for (const event of failed) assert.deepEqual(event, ["fail", above.offset, KIB]);
  assert.equal(groupOf(heap, "above")?.maxHits, failed.length);
  below.max = 8;
  events.length = 0;
  assert.equal(pool.alloc(), 0);
  assert.deepEqual(events[0], ["fail", below.offset, KIB]);
});

test("nothing is told of what goes back, of allocators without a group, and of other threads", () => {
  const [a, b] = cpusOf(2) as [SharedHeap, SharedHeap];
  const pool = poolOf(a, a.memcg({ name: "group" }));
  const objects = Array.from({ length: 100 }, () => pool.alloc());
  const there = record(b);
  const events = record(a);
  freeAll(pool, objects);
  settle(a);
  a.memCache({ name: "other", size: 1000 }).alloc();
  assert.deepEqual([events, there], [[], []]);
  while (events.length === 0) pool.alloc();
  assert.deepEqual(there, []);
});

test("groups of a heap lie at different places; one that was dropped has none any more", () => {
  const [a, b] = cpusOf(2) as [SharedHeap, SharedHeap];
  const groups = ["a", "b", "c"].map((name) => a.memcg({ name }));
  assert.equal(new Set(groups.map(({ offset }) => offset)).size, 3);
  assert.equal(b.memcg({ name: "b" }).offset, groups[1].offset);
  groups[0].drop();
  assert.throws(() => groups[0].offset, { code: "destroyed" });
});

test("what a handler of memcg:fail frees is there for the alloc", () => {
  const heap = oneCpu();
  const group = heap.memcg({ name: "group", max: 64 * KIB });
  const pool = poolOf(heap, group);
  const objects = exhaust(pool, 1000);
  heap.tracepoints.on("memcg:fail", () => pool.free(objects.pop() ?? 0));
  for (let i = 0; i < 20; i++) {
    assert.notEqual(pool.alloc(), 0);
    heap.checkInvariants();
  }
  assert.ok(group.current <= group.max && group.peak <= group.max);
});

test("an alloc gets what there is, and comes to an end, although a handler gives back what each refill got", () => {
  const heap = oneCpu();
  const group = heap.memcg({ name: "group", max: 64 * KIB });
  const pool = poolOf(heap, group);
  pool.rawFree(exhaust(pool, 1000)[0]);
  let calls = 0;
  heap.tracepoints.on("memcg:fail", () => {
    assert.ok(++calls < 1000, "without end");
    pool.rawFree(pool.alloc());
  });
  assert.notEqual(pool.alloc(), 0);
  assert.ok(calls > 1, `${calls} calls`);
  heap.checkInvariants();
});

/** Calls that a handler makes on the group in whose charge it runs. */
const CALLS: Record<string, (heap: SharedHeap, pool: MemCache, group: Memcg) => void> = {
  "allocates and frees": (_heap, pool) => pool.free(pool.alloc()),
  "allocates from slab, and frees": (_heap, pool) => pool.rawFree(pool.allocFlags(GFP_KERNEL)),
  "frees after readers": (_heap, pool) => pool.freeRcu(pool.allocFlags(GFP_KERNEL)),
  "moves the limit": (_heap, _pool, group) => {
    group.max = 40 * KIB + (group.current % (8 * KIB));
  },
  "makes a group, and drops it": (heap, _pool, parent) => heap.memcg({ name: "nested", parent }).drop(),
  "allocates in another group": (heap) => {
    const memcg = heap.memcg({ name: "another", max: 16 * KIB });
    const other = heap.memCache({ name: "another", size: 400, memcg });
    other.free(other.allocFlags(GFP_KERNEL));
  },
  looks: (heap) => {
    heap.stats();
    heap.verify();
  },
};

for (const point of ["memcg:charge", "memcg:fail"] as const) {
  for (const nested of [false, true]) {
    for (const [what, call] of Object.entries(CALLS)) {
      test(`a handler of ${point}, ${nested ? "nested" : "once"}, ${what}: the sums are right`, () => {
        const heap = oneCpu({ bytes: 2 * MIB });
        const group = heap.memcg({ name: "group", max: 48 * KIB });
        const pool = poolOf(heap, group);
        heap.memCache({ name: "another", size: 400, memcg: heap.memcg({ name: "another" }) });
        let calls = 0;
        const handler = () => {
          calls++;
          call(heap, pool, group);
        };
        const off = heap.tracepoints.on(point, handler, { nested });
        for (let round = 0; round < 3; round++) {
          freeAll(pool, exhaust(pool, 1000));
          heap.checkInvariants();
          settle(heap);
        }
        assert.ok(calls > 2, `${calls} calls`);
        off();
        void pool.destroy();
        settle(heap);
        group.drop();
        settle(heap);
        assert.equal(groupOf(heap, "group"), undefined);
        heap.checkInvariants();
      });
    }
  }
}

test("a handler may drop the group in whose charge it runs", () => {
  for (const point of ["memcg:charge", "memcg:fail"] as const) {
    const heap = oneCpu();
    const group = heap.memcg({ name: "group", max: 64 * KIB });
    const pool = poolOf(heap, group);
    const off = heap.tracepoints.on(point, () => {
      off();
      group.drop();
    });
    freeAll(pool, exhaust(pool, 1000));
    assert.equal(groupOf(heap, "group")?.dropped, true, "its allocators go on");
    void pool.destroy();
    settle(heap);
    assert.deepEqual(heap.stats().groups, []);
    heap.checkInvariants();
  }
});
