/** `onOutOfMemory`: what the program does before an allocation returns 0. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SharedHeap } from "sharedheap";
import { cpusOf, exhaust, freeAll, MIB, oneCpu, refuses } from "../memalloc/heaps.ts";

/** Ways to get memory, each with a size that a small heap has room for. */
const WAYS: readonly [string, (heap: SharedHeap) => () => number][] = [
  ["malloc", (heap) => () => heap.malloc(2000)],
  [
    "memCache",
    (heap) => {
      const pool = heap.memCache({ size: 2000 });
      return () => pool.alloc();
    },
  ],
  [
    "owned memCache",
    (heap) => {
      const pool = heap.memCache({ size: 2000, owned: true });
      return () => pool.alloc();
    },
  ],
  ["kmalloc", (heap) => () => heap.kmalloc(2000)],
  ["kmalloc, large", (heap) => () => heap.kmalloc(20_000)],
  [
    "kmemCache",
    (heap) => {
      const cache = heap.kmemCache({ name: "own", size: 2000 });
      return () => cache.alloc();
    },
  ],
];

for (const [name, wayOf] of WAYS) {
  describe(name, () => {
    test("what the program frees is had at once, and NULL is returned when it frees nothing more", () => {
      const heap = oneCpu({ bytes: MIB });
      const allocate = wayOf(heap);
      const ballast = Array.from({ length: 4 }, () => heap.kmalloc(40_000));
      let calls = 0;
      heap.onOutOfMemory(() => {
        calls++;
        assert.equal(heap.context.inTask(), false);
        const p = ballast.pop();
        if (p !== undefined) heap.kfree(p);
      });
      while (allocate() !== 0);
      assert.equal(ballast.length, 0);
      assert.ok(calls >= 5, `${calls} calls`);
      heap.checkInvariants();
    });
  });
}

test("opening an allocator asks, too", () => {
  const heap = oneCpu({ bytes: MIB });
  const blocks = exhaust({ alloc: (n) => heap.kmalloc(n), free: () => {} }, 4096);
  heap.onOutOfMemory(() => freeAll({ alloc: () => 0, free: (p) => heap.kfree(p) }, blocks.splice(0, 20)));
  const pool = heap.memAlloc();
  assert.notEqual(pool.alloc(64), 0);
  heap.checkInvariants();
});

test("not in nested contexts, not where there is memory, not on other threads, not once it was ended", () => {
  const [heap, other] = cpusOf(2, { bytes: MIB });
  let calls = 0;
  const off = heap.onOutOfMemory(() => calls++);
  const pool = heap.memCache({ size: 2000 });
  assert.notEqual(pool.alloc(), 0);
  const theirs = other.memCache({ size: 2000 });
  while (theirs.alloc() !== 0);
  heap.context.softirq(() => {
    while (pool.alloc() !== 0);
  });
  assert.equal(calls, 0);
  assert.equal(heap.kmalloc(4096), 0);
  assert.equal(calls, 1);
  off();
  assert.equal(heap.kmalloc(4096), 0);
  assert.equal(calls, 1);
});

test("several are called in turn; an alloc inside one calls none", () => {
  const heap = oneCpu({ bytes: MIB });
  const order: string[] = [];
  heap.onOutOfMemory(() => {
    order.push("first");
    heap.kmalloc(200_000);
  });
  heap.onOutOfMemory(() => order.push("second"));
  while (heap.kmalloc(4096) !== 0);
  assert.deepEqual(order, ["first", "second"]);
});

test("a request that no heap of this size could serve calls nobody", () => {
  const heap = oneCpu({ bytes: MIB });
  heap.onOutOfMemory(() => assert.fail("there is nothing to free for that"));
  assert.equal(heap.kmalloc(2 * MIB), 0);
});

test("takes functions only", () => {
  const heap = oneCpu();
  for (const fn of [undefined, 3, {}])
    refuses(heap, "bad-option", () => heap.onOutOfMemory(fn as never), String(fn));
  heap.detach();
  assert.throws(() => heap.onOutOfMemory(() => {}), /detached/);
});
