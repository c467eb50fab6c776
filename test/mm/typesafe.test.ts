/** Slab caches whose memory keeps its type while a reader may look at it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SharedHeap } from "sharedheap";
import { throwsCode } from "../support/errors.ts";

const MIB = 2 ** 20;

function open(heap: SharedHeap, typesafeByRcu: boolean) {
  return heap.kmemCache({ name: `typesafe ${typesafeByRcu}`, size: 1000, typesafeByRcu });
}

function newHeap(): SharedHeap {
  return SharedHeap.create({ bytes: MIB, maxCpus: 2, turns: false });
}

/** Allocates until there is no more. */
function exhaust(alloc: () => number): number[] {
  const out = [];
  for (let p = alloc(); p !== 0; p = alloc()) out.push(p);
  return out;
}

/** All blocks of a page that kmalloc gives. */
function kmallocPages(heap: SharedHeap): Set<number> {
  return new Set(exhaust(() => heap.kmalloc(4000)));
}

describe("typesafeByRcu", () => {
  for (const typesafe of [true, false]) {
    test(`${typesafe}: memory of freed objects ${typesafe ? "waits for readers" : "goes to others at once"}`, () => {
      const heap = newHeap();
      const reader = SharedHeap.attach(heap.token, { turns: false });
      const cache = open(heap, typesafe);
      const objects = exhaust(() => cache.alloc());
      assert.ok(objects.length > 100);
      reader.rcu.readLock();
      for (const p of objects) cache.free(p);
      const withReader = kmallocPages(heap).size;
      reader.rcu.readUnlock();
      const later = kmallocPages(heap).size;
      if (typesafe) assert.ok(later > 10 * (withReader + 1), `${withReader} with a reader, ${later} later`);
      else assert.ok(withReader > 10 * (later + 1), `${withReader} with a reader, ${later} later`);
      heap.checkInvariants();
    });
  }

  test("freed objects keep their contents", () => {
    const heap = newHeap();
    const cache = open(heap, true);
    const objects = Array.from({ length: 100 }, () => cache.alloc());
    for (const p of objects) heap.u8.fill((p & 0xff) | 1, p, p + 1000);
    for (const p of objects) cache.free(p);
    for (const p of objects)
      assert.ok(heap.u8.subarray(p, p + 1000).every((byte) => byte === ((p & 0xff) | 1)));
    heap.checkInvariants();
  });

  test("the cache itself may use the memory at once", () => {
    const heap = newHeap();
    const cache = open(heap, true);
    heap.rcu.readLock();
    const objects = exhaust(() => cache.alloc());
    cache.free(objects[7] ?? 0);
    assert.equal(cache.alloc(), objects[7]);
    heap.rcu.readUnlock();
  });

  test("slabs that wait are found in order, and polls give them back", () => {
    const heap = newHeap();
    const cache = open(heap, true);
    const before = heap.stats().pages.held;
    heap.rcu.readLock();
    for (const p of exhaust(() => cache.alloc())) cache.free(p);
    heap.poll();
    heap.checkInvariants();
    const waiting = heap.stats();
    assert.ok(waiting.pages.held > before + 100, "the pages are still held");
    heap.rcu.readUnlock();
    for (let i = 0; i < 10; i++) heap.poll();
    assert.ok(heap.stats().pages.held <= before + 4);
    heap.checkInvariants();
  });

  test("it is part of what the cache was made with", () => {
    const heap = newHeap();
    heap.kmemCache({ name: "a", size: 64, typesafeByRcu: true });
    throwsCode("mismatch", () => heap.kmemCache({ name: "a", size: 64 }));
    heap.kmemCache({ name: "b", size: 64, typesafeByRcu: false });
    heap.kmemCache({ name: "b", size: 64 });
  });
});
