import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { GFP_KERNEL, type Memcg, type SharedHeap } from "sharedheap";
import { booksOf, cpusOf, exhaust, freeAll, MIB, oneCpu, settle, throwsCode } from "../memalloc/heaps.ts";
import { groupOf, KIB, poolOf } from "./groups.ts";

describe("charges", () => {
  test("what slab holds for the group's allocators is charged, up the whole tree; not that of others", () => {
    const heap = oneCpu();
    const above = heap.memcg({ name: "above" });
    const below = heap.memcg({ name: "below", parent: above });
    const beside = heap.memcg({ name: "beside", parent: above });
    const pool = heap.memCache({ name: "pool", size: 100, memcg: below });
    const objects = Array.from({ length: 200 }, () => pool.alloc());
    heap.memCache({ name: "other", size: 100 }).alloc();
    heap.checkInvariants();
    const held = booksOf(heap, "pool").taken * 128; // 100 bytes and a header: slabs of 128
    assert.ok(below.current >= held && below.current <= held + 8 * KIB, `${below.current} for ${held}`);
    assert.equal(above.current, below.current);
    assert.equal(beside.current, 0);
    assert.ok(below.peak >= below.current);
    freeAll(pool, objects);
    settle(heap);
    heap.checkInvariants();
    assert.ok(below.current < held);
  });

  test("per-CPU objects are charged with their slots on every CPU", () => {
    const [heap] = cpusOf(4) as [SharedHeap];
    const group = heap.memcg({ name: "group" });
    const pool = heap.memCache({ name: "pool", size: 1000, percpu: true, memcg: group });
    assert.notEqual(pool.alloc(), 0);
    heap.checkInvariants();
    assert.ok(group.current >= 4 * KIB * booksOf(heap, "pool").taken);
  });

  test("a group without allocators costs nothing, and a heap without groups has none", () => {
    const heap = oneCpu();
    assert.deepEqual(heap.stats().groups, []);
    const group = heap.memcg({ name: "group", max: MIB });
    assert.deepEqual(
      [group.max, group.current, group.peak, group.failures, group.maxHits],
      [MIB, 0, 0, 0, 0],
    );
    assert.equal(heap.memcg({ name: "free" }).max, Infinity);
  });

  test("a thread that frees what another one allocated gives its charge back; detached ones have no stock", () => {
    const [a, b] = cpusOf(2) as [SharedHeap, SharedHeap];
    const group = a.memcg({ name: "group" });
    const pool = poolOf(a, group);
    const there = b.memCache({ name: "objects", size: 1000 }); // by its name, without the group
    const objects = Array.from({ length: 300 }, () => pool.alloc());
    freeAll(there, objects);
    settle(b);
    a.checkInvariants();
    a.detach();
    settle(b);
    b.checkInvariants();
    assert.ok(groupOf(b, "group")?.current ?? 0 < 100 * KIB);
  });
});

describe("limits", () => {
  test("NULL at the limit; free objects are enough for the next; siblings do not notice", () => {
    const heap = oneCpu();
    const above = heap.memcg({ name: "above", max: 2 * MIB });
    const [a, b] = ["a", "b"].map((name) => heap.memcg({ name, max: 256 * KIB, parent: above })) as [
      Memcg,
      Memcg,
    ];
    const pool = poolOf(heap, a, "a");
    const other = poolOf(heap, b, "b");
    const objects = exhaust(pool, 1000);
    heap.checkInvariants();
    assert.ok(objects.length > 240 && objects.length <= 256, `${objects.length} objects`);
    assert.ok(a.current <= a.max && a.peak <= a.max);
    assert.equal(a.failures, 1);
    assert.ok(a.maxHits >= 1);
    assert.equal(above.failures, 0);
    assert.equal(b.maxHits, 0);
    assert.equal(exhaust(other, 1000).length, objects.length, "the same for the sibling");
    pool.free(objects.pop() ?? 0);
    assert.notEqual(pool.alloc(), 0);
    heap.checkInvariants();
  });

  test("an ancestor's limit counts for all below it, and the event is its own", () => {
    const heap = oneCpu();
    const above = heap.memcg({ name: "above", max: 128 * KIB });
    const below = heap.memcg({ name: "below", parent: above });
    const pool = poolOf(heap, below);
    assert.ok(exhaust(pool, 1000).length <= 128);
    assert.equal(above.failures, 1);
    assert.equal(below.failures, 0);
    heap.checkInvariants();
  });

  test("what this thread keeps for other allocators of the group is collected first", () => {
    const heap = oneCpu();
    const group = heap.memcg({ name: "group", max: 128 * KIB });
    const first = poolOf(heap, group, "first");
    const second = heap.memCache({ name: "second", size: 4000, memcg: group });
    const objects = exhaust(first, 1000);
    freeAll(first, objects);
    const after = exhaust(second, 4000);
    assert.ok(after.length >= 30, `${after.length} of 32`);
    heap.checkInvariants();
  });

  test("freed with freeRcu counts until no reader can see it", () => {
    const [a, b] = cpusOf(2) as [SharedHeap, SharedHeap];
    const group = a.memcg({ name: "group", max: 64 * KIB });
    const pool = poolOf(a, group);
    b.rcu.readLock();
    for (const p of exhaust(pool, 1000)) pool.freeRcu(p);
    assert.equal(pool.alloc(), 0);
    b.rcu.readUnlock();
    assert.notEqual(pool.alloc(), 0);
    a.checkInvariants();
  });

  test("a limit moved below what is charged: nothing new until that falls, and nothing is taken away", () => {
    const heap = oneCpu();
    const group = heap.memcg({ name: "group", max: 256 * KIB });
    const pool = poolOf(heap, group);
    const objects = exhaust(pool, 1000);
    group.max = 100 * KIB;
    assert.equal(group.max, 100 * KIB);
    for (const p of objects.splice(0, 20)) pool.free(p);
    const charged = group.current;
    const again = exhaust(pool, 1000);
    assert.ok(again.length <= 20, "what is charged already may be handed out");
    assert.ok(group.current <= charged);
    heap.checkInvariants();
    freeAll(pool, again);
    freeAll(pool, objects.splice(0, 140));
    assert.notEqual(pool.alloc(), 0);
    group.max = Infinity;
    assert.equal(group.max, Infinity);
    assert.ok(exhaust(pool, 1000).length > 1000);
  });

  test("a heap that is full has NULL for a group with room, and that is no failure of the group", () => {
    const heap = oneCpu({ bytes: MIB });
    const group = heap.memcg({ name: "group", max: 64 * MIB });
    assert.ok(exhaust(poolOf(heap, group), 1000).length > 100);
    assert.deepEqual([group.failures, group.maxHits], [0, 0]);
    heap.checkInvariants();
  });

  test("NULL over and over changes nothing", () => {
    const heap = oneCpu();
    const group = heap.memcg({ name: "group", max: 64 * KIB });
    const pool = poolOf(heap, group);
    const other = heap.memCache({ name: "other", size: 1000 });
    freeAll(other, [other.alloc(), other.alloc()]);
    exhaust(pool, 1000);
    const { pages, allocators } = heap.stats();
    for (let i = 0; i < 100; i++) assert.equal(pool.alloc(), 0);
    assert.equal(heap.stats().pages.held, pages.held);
    const listed = (stats: typeof allocators) => stats.find(({ name }) => name === "other")?.listed;
    assert.equal(listed(heap.stats().allocators), listed(allocators), "others keep their stock");
    assert.equal(group.failures, 101);
  });

  test("in nested contexts too: from slab directly, by a refill afterwards", () => {
    const heap = oneCpu();
    const group = heap.memcg({ name: "group", max: 32 * KIB });
    const pool = poolOf(heap, group);
    heap.context.nmi(() => {
      while (pool.allocFlags(GFP_KERNEL) !== 0);
    });
    heap.checkInvariants();
    assert.equal(group.failures, 1);
    assert.ok(group.current <= group.max);
  });

  test("an allocator for whose first objects there is no room cannot be opened, and holds nothing", () => {
    const heap = oneCpu();
    const group = heap.memcg({ name: "group", max: KIB });
    throwsCode("out-of-memory", () => heap.memAlloc({ name: "any", memcg: group }));
    settle(heap);
    heap.checkInvariants();
    assert.ok(group.current <= KIB, "stock");
    group.max = MIB;
    assert.notEqual(heap.memAlloc({ name: "any", memcg: group }).alloc(100), 0);
  });

  test("reserve brings what fits", () => {
    const heap = oneCpu();
    const group = heap.memcg({ name: "group", max: 100 * KIB });
    const pool = poolOf(heap, group);
    const got = pool.reserve(1000);
    assert.ok(got > 80 && got <= 100, `${got} objects`);
    heap.checkInvariants();
  });
});

describe("onMax", () => {
  test("is called before NULL, and the alloc tries once more", () => {
    const heap = oneCpu();
    const group = heap.memcg({ name: "group", max: 64 * KIB });
    const pool = poolOf(heap, group);
    const cached: number[] = [];
    let calls = 0;
    const off = group.onMax(() => {
      calls++;
      freeAll(pool, cached.splice(0, 8));
    });
    for (let i = 0; i < 500; i++) {
      const p = pool.alloc();
      assert.notEqual(p, 0, `alloc ${i}`);
      cached.push(p);
    }
    assert.ok(calls > 10 && calls < 500, `${calls} calls`);
    assert.equal(group.failures, 0);
    off();
    exhaust(pool, 1000);
    const before = calls;
    assert.equal(pool.alloc(), 0);
    assert.equal(calls, before);
    heap.checkInvariants();
  });

  test("may raise the limit; those of the group, and of the ancestors up to the full one, are called", () => {
    const heap = oneCpu();
    const top = heap.memcg({ name: "top", max: MIB });
    const above = heap.memcg({ name: "above", max: 64 * KIB, parent: top });
    const below = heap.memcg({ name: "below", parent: above });
    const beside = heap.memcg({ name: "beside", parent: above });
    const called: string[] = [];
    top.onMax(() => called.push("top"));
    beside.onMax(() => called.push("beside"));
    below.onMax(() => called.push("below"));
    above.onMax(() => {
      called.push("above");
      above.max = 128 * KIB;
    });
    const pool = poolOf(heap, below);
    for (let i = 0; i < 80; i++) assert.notEqual(pool.alloc(), 0);
    assert.deepEqual(called, ["below", "above"]);
  });

  test("what it allocates itself does no harm, and it cannot end what is under way", () => {
    const heap = oneCpu();
    const group = heap.memcg({ name: "group", max: 64 * KIB });
    const pool = poolOf(heap, group);
    let depth = 0;
    let deepest = 0;
    group.onMax(() => {
      deepest = Math.max(deepest, ++depth);
      assert.equal(pool.alloc(), 0);
      assert.throws(() => heap.detach(), { code: "bad-context" });
      assert.throws(() => pool.destroy(), { code: "bad-context" });
      depth--;
    });
    exhaust(pool, 1000);
    assert.equal(deepest, 1);
    heap.checkInvariants();
  });

  test("what it throws is told later, as an unhandled rejection", () => {
    const child = fileURLToPath(new URL("./memcg-throwing-child.js", import.meta.url));
    const output = execFileSync(process.execPath, [child], { encoding: "utf8" });
    assert.equal(output, "NULL\nend of main\nuncaught: thrown in onMax\n");
  });
});
