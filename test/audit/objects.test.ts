/** What an audit finds of objects and slabs. Deaths between any two steps are the checker's: scenarios `audit*`. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { GFP_KERNEL, SharedHeap } from "sharedheap";
import {
  FREE_BY_RCU_TTRACE,
  FREE_LIST,
  HEADER_WORDS,
  INBOX,
  KIND_RCU,
  LOW,
  OBJECT_CHECK,
  OWNED_WORDS,
  RCU_BATCH,
  SPARE,
  USUAL_LOW,
} from "#src/memalloc/layout.js";
import { LOCAL_QUEUES, QUEUE_NEXT, QUEUE_WORDS } from "#src/rcu/layout.js";
import { allocMany, changesNothing, cpusOf, exhaust, freeAll, nodeOf, stockOf } from "../memalloc/heaps.ts";
import { layersOf, mends, type Scene, SIZE, scene } from "./scene.ts";

test("a heap in which nothing was lost is clean, and an audit of it adds up", () => {
  const { heap, out } = scene();
  const report = changesNothing(heap, () => heap.audit({ repair: false }));
  assert.equal(report.isClean, true, JSON.stringify(report));
  assert.equal(heap.audit().isClean, true);
  const { used, listed, leaked, out: live } = report.books;
  assert.equal(used, listed + live + leaked);
  assert.equal(live, out.length + 30);
  assert.equal(leaked, 0);
});

test("what waits on any list is not in hand", () => {
  const { heap, pool, other, words, cache } = scene();
  const objects = allocMany(pool, SIZE, 30);
  other.rcu.readLock();
  for (const p of objects.slice(0, 10)) pool.freeRcu(p);
  heap.context.nmi(() => {
    for (const p of objects.slice(10, 20)) pool.free(p);
  });
  other.rcu.readUnlock();
  assert.notEqual(words[cache + RCU_BATCH], 0);
  assert.notEqual(words[cache + FREE_LIST] + words[cache + SPARE], 0);
  const { inHand, books } = heap.audit({ repair: false });
  assert.deepEqual(inHand, []);
  assert.ok(books.listed >= 20);
});

describe("in hand at death", () => {
  test("an object that slab gave, and nobody counted", () => {
    const at = scene();
    const node = at.system.kmalloc.slab.alloc(at.slabCache);
    assert.deepEqual(mends(at).inHand, [{ p: (node + HEADER_WORDS) * 4, bytes: SIZE + 8 }]);
  });

  test("lists that were taken: counted, and charged", () => {
    const at = scene();
    const depth = stockOf(at.heap, at.cache);
    const { current } = at.heap.memcg({ name: "group" });
    at.words[at.cache + FREE_LIST] = 0;
    at.words[at.cache + SPARE] = 0;
    at.words[at.cache + LOW] = at.words[at.cache + USUAL_LOW];
    const { inHand, corrected } = mends(at);
    assert.equal(inHand.length, depth);
    assert.match(corrected.join("\n"), /"pool" 128: \d+ objects were counted as taken/);
    assert.match(corrected.join("\n"), /group "parent": \d+ bytes were charged/);
    assert.ok(at.heap.memcg({ name: "group" }).current < current);
  });

  test("a chain that was on its way", () => {
    const at = scene();
    const objects = allocMany(at.pool, SIZE, 60);
    at.other.rcu.readLock();
    for (const p of objects) at.pool.freeRcu(p);
    const queue =
      at.system.cpu.area + at.system.rcuPlace.local + LOCAL_QUEUES + KIND_RCU * QUEUE_WORDS + QUEUE_NEXT;
    assert.notEqual(at.words[queue], 0);
    at.words[queue] = 0;
    at.other.rcu.readUnlock();
    const report = at.heap.audit();
    assert.ok(report.inHand.length > 40 && report.inHand.length <= 60);
    assert.match(report.corrected.join("\n"), /1 chains were counted, 0 there/);
    at.heap.checkInvariants();
    assert.equal(at.heap.audit().isClean, true);
  });

  test("an owned object that was popped, and was nobody's yet; those that a dead thread owns are not in hand", () => {
    const at = scene();
    const pool = at.heap.memCache({ name: "owned", size: SIZE, owned: true });
    const [p, q] = allocMany(pool, SIZE, 2);
    at.words[p / 4 - OWNED_WORDS] = 0;
    assert.deepEqual(mends(at).inHand, [{ p, bytes: 192 }]);
    assert.deepEqual(at.heap.leaks().find(({ name }) => name === "owned")?.owners?.[0].offsets, [q]);
    pool.free(q);
    at.heap.checkInvariants();
  });

  test("objects are given to others again, each once", () => {
    const at = scene();
    at.words[at.cache + FREE_LIST] = 0;
    at.words[at.cache + FREE_BY_RCU_TTRACE] = 0;
    at.heap.audit();
    const all = exhaust(at.pool, SIZE);
    assert.equal(new Set([...all, ...at.out]).size, all.length + at.out.length);
    freeAll(at.pool, all);
    at.heap.checkInvariants();
  });
});

test("what an allocator that was destroyed leaked is left alone", async () => {
  const [heap] = cpusOf(1);
  const pool = heap.memCache({ name: "pool", size: SIZE });
  const out = allocMany(pool, SIZE, 7);
  const end = pool.destroy();
  for (let i = 0; i < 10; i++) heap.poll();
  assert.equal((await end).leaked.length, 7);
  const { isClean, books } = heap.audit();
  assert.deepEqual(
    { isClean, leaked: books.leaked, out: books.out },
    { isClean: true, leaked: out.length, out: 0 },
  );
});

test("old contents of pages are no headers", () => {
  const heap = SharedHeap.create({ bytes: 2 ** 20, maxCpus: 1, turns: false });
  const block = heap.kmalloc(400_000);
  heap.i32.fill(-1, block / 4, block / 4 + 100_000);
  heap.kfree(block);
  const system = layersOf(heap);
  for (const set of [system.kmalloc.sets.memalloc, system.kmalloc.sets.memallocPercpu])
    for (const i of set.sizes.keys()) assert.notEqual(system.kmalloc.slab.alloc(set.cacheAt(i)), 0);
  const report = heap.audit();
  assert.equal(report.books.leaked, 0);
  assert.equal(report.inHand.length, 23);
  heap.checkInvariants();
});

describe("slabs that nobody has", () => {
  /** Takes a slab of the pool off its lists. */
  const take = (at: Scene): number => {
    at.system.kmalloc.slab.flush(at.slabCache);
    const page = at.system.kmalloc.slab.lists.take(at.slabCache);
    assert.notEqual(page, 0);
    return page;
  };

  test("partly free: listed again", () => {
    const at = scene();
    const page = take(at);
    assert.deepEqual(mends(at).slabs, [{ p: page * 4096, pages: 1 }]);
  });

  test("empty: given back", () => {
    const at = scene();
    const cache = at.system.kmalloc.cacheFor(1024);
    const p = at.heap.kmalloc(1024);
    at.heap.kfree(p);
    const held = at.heap.stats().pages.held;
    at.words[at.system.cpu.area + at.words[cache + 3] + 1] = 0;
    at.words[at.system.cpu.area + at.words[cache + 3]] = 0;
    const state = at.system.pages.descriptor(Math.floor(p / 4096)) + 2;
    // all four objects are on the shared list
    at.words[state] = (1 << 15) | 1;
    assert.equal(mends(at).slabs.length, 1);
    assert.ok(at.heap.stats().pages.held < held);
  });

  test("full: nobody's, until an object is freed", () => {
    const at = scene();
    const page = take(at);
    // as a CPU that took the whole shared list, and lost it
    at.system.kmalloc.slab.lists.put(at.slabCache, page);
    const objects = exhaust(at.pool, SIZE);
    const full = Math.floor(objects[100] / 4096);
    const state = at.system.pages.descriptor(full) + 2;
    assert.equal(at.words[state] & 1, 0);
    at.words[state] |= 1;
    assert.match(at.heap.verify().join("\n"), /frozen, but nobody has it/);
    assert.equal(at.heap.audit().slabs.length, 1);
    at.heap.checkInvariants();
    assert.equal(at.words[state] & 1, 0);
    freeAll(at.pool, objects);
    at.heap.checkInvariants();
  });
});

describe("damage is refused, with nothing changed", () => {
  const damages: [string, RegExp, (at: Scene) => void][] = [
    ["a free list that loops", /not \d+ deep/, (at) => at.words[at.words[at.cache + FREE_LIST]]++],
    [
      "a list that leads nowhere",
      /where no such object starts/,
      (at) => (at.words[at.cache + INBOX] = 12_345),
    ],
    [
      "an object on a list and out at once",
      /its header says it is out/,
      (at) => {
        const p = at.pool.allocFlags(GFP_KERNEL);
        const first = at.system.kmalloc.slab.alloc(at.slabCache);
        at.words[at.cache + FREE_BY_RCU_TTRACE] = first + OBJECT_CHECK;
        at.words[first + OBJECT_CHECK] = 0;
        at.words[first] = nodeOf(p);
        at.words[nodeOf(p)] = 0;
      },
    ],
    [
      "an object on a list and free in its slab at once",
      /on a list, and free in its slab/,
      (at) => {
        const { slab } = at.system.kmalloc;
        const node = slab.alloc(at.slabCache);
        at.system.kmalloc.slab.free(at.slabCache, at.system.pages.pageAt(node), node);
        at.words[node + OBJECT_CHECK] = 0;
        at.words[at.cache + FREE_BY_RCU_TTRACE] = node + OBJECT_CHECK;
      },
    ],
    [
      "a slab that two have",
      /is held by/,
      (at) => {
        const page = at.system.kmalloc.slab.lists.take(at.slabCache);
        at.system.kmalloc.slab.lists.put(at.slabCache, page);
        at.words[at.system.cpu.area + at.words[at.slabCache + 3] + 1] = page;
      },
    ],
  ];
  for (const [name, message, damage] of damages) {
    test(name, () => {
      const at = scene();
      damage(at);
      const before = at.words.slice();
      assert.throws(
        () => at.heap.audit(),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, "corrupt");
          assert.match(error.message, message);
          return true;
        },
      );
      assert.deepEqual(at.words, before);
    });
  }
});
