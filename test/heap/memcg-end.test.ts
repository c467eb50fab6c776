import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SharedHeap } from "sharedheap";
import { cpusOf, MIB, oneCpu, refuses, settle, throwsCode } from "../memalloc/heaps.ts";
import { groupOf, KIB, poolOf } from "./groups.ts";

describe("the end of a group", () => {
  test("it goes with its last charge, child and allocator; its name is free at once", async () => {
    const heap = oneCpu();
    const above = heap.memcg({ name: "above" });
    const below = heap.memcg({ name: "below", parent: above });
    const pool = poolOf(heap, below);
    const p = pool.alloc();
    below.drop();
    above.drop();
    settle(heap);
    assert.equal(groupOf(heap, "below")?.dropped, true);
    assert.notEqual(pool.alloc(), 0, "its allocators go on");
    const again = heap.memcg({ name: "above" });
    assert.equal(heap.stats().groups.filter(({ name }) => name === "above").length, 2);
    heap.checkInvariants();
    pool.free(p);
    const ended = pool.destroy();
    settle(heap);
    await ended;
    assert.deepEqual(
      heap.stats().groups.map(({ name, dropped }) => [name, dropped]),
      [["above", false]],
    );
    again.drop();
    assert.deepEqual(heap.stats().groups, []);
    heap.checkInvariants();
  });

  test("objects that are never freed stay charged to the parent, and the group goes", async () => {
    const heap = oneCpu();
    const above = heap.memcg({ name: "above" });
    const below = heap.memcg({ name: "below", parent: above });
    const pool = poolOf(heap, below);
    for (let i = 0; i < 5; i++) pool.alloc();
    const ended = pool.destroy();
    below.drop();
    settle(heap);
    assert.equal((await ended).leaked.length, 5);
    assert.equal(groupOf(heap, "below"), undefined);
    assert.equal(above.current, 5 * KIB);
    heap.checkInvariants();
    above.drop();
    settle(heap);
    assert.deepEqual(heap.stats().groups, []);
  });

  test("stock on another thread keeps it until that polls or detaches", () => {
    const [a, b] = cpusOf(2) as [SharedHeap, SharedHeap];
    const group = a.memcg({ name: "group" });
    const pool = poolOf(b, b.memcg({ name: "group" }));
    pool.free(pool.alloc());
    void pool.destroy();
    settle(b);
    group.drop();
    assert.equal(groupOf(a, "group")?.dropped, true);
    settle(b);
    settle(a);
    assert.equal(groupOf(a, "group"), undefined);
    a.checkInvariants();
  });

  test("groups made and dropped all day take bounded memory", () => {
    const heap = oneCpu({ maxNames: 16 });
    for (let i = 0; i < 200; i++) {
      const above = heap.memcg({ name: `above ${i}`, max: MIB });
      const group = heap.memcg({ name: `group ${i}`, parent: above });
      const pool = heap.memCache({ name: `pool ${i}`, size: 40, memcg: group });
      pool.free(pool.alloc());
      void pool.destroy();
      group.drop();
      above.drop();
      settle(heap);
      heap.checkInvariants();
      assert.deepEqual(heap.stats().groups, []);
    }
  });
});

describe("wrong calls change nothing", () => {
  test("options", () => {
    const heap = oneCpu();
    for (const name of ["", "x".repeat(29)]) refuses(heap, "bad-name", () => heap.memcg({ name }));
    for (const max of [-1, 1.5, 2 ** 33, Number.NaN, "8" as never])
      refuses(heap, "bad-option", () => heap.memcg({ name: "group", max }));
    refuses(heap, "bad-option", () => heap.memcg({ name: "group", parent: {} as never }));
    const group = heap.memcg({ name: "group" });
    refuses(heap, "bad-option", () => {
      group.max = -1;
    });
    refuses(heap, "bad-option", () => group.onMax(1 as never));
    refuses(heap, "bad-option", () => heap.memAlloc({ name: "any", memcg: {} as never }));
    const foreign = oneCpu().memcg({ name: "group" });
    refuses(heap, "bad-option", () => heap.memAlloc({ name: "any", memcg: foreign }));
    heap.checkInvariants();
  });

  test("mismatch: another parent, another group", () => {
    const heap = oneCpu();
    const above = heap.memcg({ name: "above" });
    const group = heap.memcg({ name: "group", parent: above });
    const other = heap.memcg({ name: "other" });
    refuses(heap, "mismatch", () => heap.memcg({ name: "group", parent: other }));
    assert.equal(heap.memcg({ name: "group" }).max, group.max);
    poolOf(heap, group);
    refuses(heap, "mismatch", () => poolOf(heap, other));
    heap.memCache({ name: "without", size: 1000 });
    refuses(heap, "mismatch", () => poolOf(heap, group, "without"));
    assert.notEqual(heap.memCache({ name: "objects", size: 1000 }).alloc(), 0);
    heap.checkInvariants();
  });

  test("limit: no room for another group, and its parent is not held", () => {
    const heap = oneCpu({ maxNames: 16 });
    const above = heap.memcg({ name: "above" });
    for (let i = 0; i < 15; i++) heap.memcg({ name: `group ${i}` });
    refuses(heap, "limit", () => heap.memcg({ name: "one more", parent: above }));
    refuses(heap, "limit", () => poolOf(heap, above));
    above.drop();
    assert.equal(groupOf(heap, "above"), undefined);
    heap.checkInvariants();
  });

  test("destroyed: any use of a group that was dropped, on any thread", () => {
    const [a, b] = cpusOf(2) as [SharedHeap, SharedHeap];
    const group = a.memcg({ name: "group" });
    const there = b.memcg({ name: "group" });
    poolOf(a, group);
    there.drop();
    refuses(a, "destroyed", () => group.drop());
    refuses(a, "destroyed", () => group.current);
    refuses(a, "destroyed", () => group.onMax(() => {}));
    refuses(a, "destroyed", () => {
      group.max = 8;
    });
    refuses(a, "destroyed", () => a.memcg({ name: "below", parent: group }));
    refuses(a, "destroyed", () => poolOf(a, group));
    refuses(a, "destroyed", () => poolOf(a, group, "another"));
    // its record is used again: the old object does not take it for its own
    a.memcg({ name: "new" });
    refuses(a, "destroyed", () => group.max);
  });

  test("detached", () => {
    const heap = oneCpu();
    const group = heap.memcg({ name: "group" });
    heap.detach();
    throwsCode("detached", () => heap.memcg({ name: "other" }));
    for (const use of [() => group.current, () => group.drop(), () => group.onMax(() => {})])
      throwsCode("detached", use);
  });
});
