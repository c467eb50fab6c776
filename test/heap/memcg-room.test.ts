/** What a reserve, and the opening of an allocator, do where the group is full: as an alloc does, before NULL. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SharedHeap } from "sharedheap";
import { cpusOf, exhaust, freeAll, MIB, oneCpu, settle, throwsCode } from "../memalloc/heaps.ts";
import { groupOf, KIB, poolOf } from "./groups.ts";

/** A group that is full of objects that a program could do without. */
function fullGroup(heap: SharedHeap, group = heap.memcg({ name: "group", max: 128 * KIB })) {
  const cache = poolOf(heap, group, "cached");
  const cached = exhaust(cache, 1000);
  return { group, cache, cached, evict: (count: number) => freeAll(cache, cached.splice(0, count)) };
}

describe("reserve", () => {
  test("has the functions called when it gets less, and tries once more", () => {
    const heap = oneCpu();
    const group = heap.memcg({ name: "group", max: 128 * KIB });
    const pool = poolOf(heap, group);
    const { evict } = fullGroup(heap, group);
    let calls = 0;
    group.onMax(() => {
      calls++;
      evict(60);
    });
    assert.equal(pool.reserve(50), 50);
    assert.equal(calls, 1);
    heap.checkInvariants();
    assert.ok(heap.context.nmi(() => exhaust(pool, 1000)).length >= 50);
  });

  test("the functions may raise the limit; they are not called where there is room", () => {
    const heap = oneCpu();
    const group = heap.memcg({ name: "group", max: 128 * KIB });
    const pool = poolOf(heap, group);
    fullGroup(heap, group);
    let calls = 0;
    group.onMax(() => {
      calls++;
      group.max = MIB;
    });
    assert.equal(pool.reserve(100), 100);
    assert.equal(pool.reserve(200), 200);
    assert.equal(calls, 1);
    heap.checkInvariants();
  });

  test("of a bucket too; what can be had without the functions is had first", () => {
    const heap = oneCpu();
    const { group, evict } = fullGroup(heap);
    evict(128);
    const pool = heap.memAlloc({ name: "in it", memcg: group });
    let calls = 0;
    group.onMax(() => void calls++);
    // what was freed lies in the lists of the first allocator
    assert.equal(pool.reserve(1000, 60), 60);
    assert.equal(calls, 0);
    heap.checkInvariants();
  });

  test("where they do nothing it brings what fits, and what it had stays, also under a reader", () => {
    const [heap, reader] = cpusOf(2) as [SharedHeap, SharedHeap];
    const group = heap.memcg({ name: "group", max: 100 * KIB });
    const pool = poolOf(heap, group);
    let calls = 0;
    group.onMax(() => void calls++);
    assert.equal(pool.reserve(60), 60);
    reader.rcu.readLock();
    const got = pool.reserve(1000);
    assert.ok(got >= 90 && got <= 100, `${got} objects`);
    assert.equal(calls, 1);
    assert.equal(pool.reserve(1000), got);
    reader.rcu.readUnlock();
    heap.checkInvariants();
  });

  test("a heap that is full is no matter of the group's", () => {
    const heap = oneCpu({ bytes: MIB });
    const group = heap.memcg({ name: "group", max: 64 * MIB });
    let calls = 0;
    group.onMax(() => void calls++);
    assert.ok(poolOf(heap, group).reserve(10_000) < 1000);
    assert.equal(calls, 0);
    heap.checkInvariants();
  });
});

describe("opening an allocator", () => {
  for (const kind of ["memAlloc", "memCache", "percpu"] as const) {
    const open = (heap: SharedHeap, memcg: ReturnType<SharedHeap["memcg"]>) => {
      if (kind === "memAlloc") return heap.memAlloc({ name: "new", memcg });
      return heap.memCache({ name: "new", size: 900, memcg, percpu: kind === "percpu" });
    };

    test(`${kind}: has the functions called when its first objects cannot be had, and tries once more`, () => {
      const heap = oneCpu();
      const { group, evict } = fullGroup(heap);
      let calls = 0;
      group.onMax(() => {
        calls++;
        evict(40);
      });
      const pool = open(heap, group);
      assert.equal(calls, 1);
      assert.notEqual(pool.alloc(900), 0);
      heap.checkInvariants();
    });

    test(`${kind}: where they do nothing it is refused, and nothing is left of it`, () => {
      const heap = oneCpu();
      const { group, cached } = fullGroup(heap);
      let calls = 0;
      const off = group.onMax(() => {
        calls++;
        assert.equal(heap.context.inTask(), false);
      });
      throwsCode("out-of-memory", () => open(heap, group));
      assert.equal(calls, 1);
      off();
      throwsCode("out-of-memory", () => open(heap, group));
      settle(heap);
      assert.deepEqual(groupOf(heap, "group")?.allocators, ["cached"]);
      assert.ok(group.current <= group.max && cached.length > 120);
      heap.checkInvariants();
    });
  }

  test("what this thread keeps for other allocators of the group is had without them", () => {
    const heap = oneCpu();
    const { group, evict } = fullGroup(heap);
    evict(20);
    let calls = 0;
    group.onMax(() => void calls++);
    assert.notEqual(heap.memAlloc({ name: "new", memcg: group }).alloc(100), 0);
    assert.equal(calls, 0);
    heap.checkInvariants();
  });

  test("they may open it themselves, in what they have freed", () => {
    const heap = oneCpu();
    const { group, evict } = fullGroup(heap);
    group.onMax(() => {
      evict(40);
      assert.equal(poolOf(heap, group, "new").name, "new");
    });
    const pool = poolOf(heap, group, "new");
    assert.notEqual(pool.alloc(), 0);
    heap.checkInvariants();
  });

  test("those above are asked too, if it is they that are full; one that exists needs nothing", () => {
    const [heap, other] = cpusOf(2) as [SharedHeap, SharedHeap];
    const above = heap.memcg({ name: "above", max: 64 * KIB });
    const below = heap.memcg({ name: "below", parent: above });
    const cached = exhaust(poolOf(heap, below, "cached"), 1000);
    const called: string[] = [];
    below.onMax(() => called.push("below"));
    above.onMax(() => {
      called.push("above");
      above.max = 65 * KIB;
    });
    poolOf(heap, below);
    assert.deepEqual(called, ["below", "above"]);
    other.memcg({ name: "above" }).onMax(() => called.push("elsewhere"));
    freeAll(other.memCache({ name: "cached", size: 1000 }), cached.splice(0, 1));
    assert.deepEqual(called, ["below", "above"]);
    heap.checkInvariants();
  });

  test("nested they are not called", () => {
    const heap = oneCpu();
    const { group, evict } = fullGroup(heap);
    group.onMax(() => evict(40));
    heap.context.softirq(() => throwsCode("out-of-memory", () => poolOf(heap, group)));
    assert.notEqual(poolOf(heap, group).alloc(), 0);
    heap.checkInvariants();
  });
});
