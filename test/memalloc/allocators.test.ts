/** Opening allocators. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type MemCacheOptions, SharedHeap } from "sharedheap";
import { KIND_ROOT } from "#src/arena/layout.js";
import {
  allocMany,
  booksOf,
  cpusOf,
  exhaust,
  freeAll,
  homeOf,
  MIB,
  oneCpu,
  refuses,
  throwsCode,
  usedObjects,
} from "./heaps.ts";

describe("by name", () => {
  test("all threads get the same allocator", () => {
    const [a, b] = cpusOf(2);
    const mine = a.memCache({ name: "voices", size: 100 });
    const yours = b.memCache({ name: "voices", size: 100 });
    assert.deepEqual([mine.name, yours.size], ["voices", 100]);
    yours.free(mine.alloc());
    assert.equal(a.stats().allocators.length, 1);
    a.checkInvariants();
  });

  test("without one it is the thread's own", () => {
    const [a, b] = cpusOf(2);
    const pools = [
      a.memAlloc(),
      a.memAlloc(),
      b.memAlloc(),
      a.memCache({ size: 8 }),
      b.memCache({ size: 16 }),
    ];
    assert.equal(new Set(pools.map((pool) => pool.name)).size, 5);
    const p = pools[0].alloc(8);
    for (const pool of pools.slice(1)) refuses(a, "wrong-cache", () => pool.free(p));
  });

  test("unnamed allocators of threads that follow each other on one CPU are different", () => {
    const [a, b] = cpusOf(2);
    const p = b.memCache({ size: 64 }).alloc();
    b.detach();
    const next = SharedHeap.attach(a.token);
    assert.equal(next.cpu, b.cpu);
    const pool = next.memCache({ size: 128 });
    refuses(a, "wrong-cache", () => pool.free(p));
  });

  test("a root, a slab cache and an allocator may have the same name", () => {
    const heap = oneCpu();
    heap.roots.set("same", 4104);
    heap.kmemCache({ name: "same", size: 64 });
    heap.memAlloc({ name: "same" }).alloc(10);
    assert.equal(heap.roots.get("same"), 4104);
    assert.equal(KIND_ROOT, 1);
    heap.checkInvariants();
  });
});

describe("wrong options", () => {
  test("names are 1 to 28 printable ASCII characters", () => {
    const heap = oneCpu({ bytes: MIB });
    for (const name of ["", "x".repeat(29), "caf\u00e9", "a\nb", "\u{1f600}", 7, {}, false] as string[]) {
      refuses(heap, "bad-name", () => heap.memAlloc({ name }), String(name));
      refuses(heap, "bad-name", () => heap.memCache({ name, size: 8 }), String(name));
    }
    assert.equal(heap.memAlloc({ name: "~".repeat(28) }).name.length, 28);
  });

  test("sizes are integers from 1 to 8184", () => {
    const heap = oneCpu({ bytes: MIB });
    for (const size of [
      0,
      -1,
      8185,
      1.5,
      Number.NaN,
      Infinity,
      2 ** 32 + 64,
      "8",
      null,
      undefined,
    ] as number[]) {
      refuses(heap, "bad-option", () => heap.memCache({ name: "fixed", size }), String(size));
      refuses(heap, "bad-option", () => heap.memCache({ size }), String(size));
    }
    refuses(heap, "bad-option", () => heap.memCache({} as MemCacheOptions));
  });

  test("an allocator is opened as it was made", () => {
    const [a, b] = cpusOf(2, { bytes: MIB });
    a.memCache({ name: "fixed", size: 100 });
    a.memAlloc({ name: "any" });
    assert.match(
      refuses(a, "mismatch", () => b.memCache({ name: "fixed", size: 101 })),
      /"fixed".*100.*101/,
    );
    refuses(a, "mismatch", () => b.memAlloc({ name: "fixed" }));
    refuses(a, "mismatch", () => b.memCache({ name: "any", size: 100 }));
    refuses(a, "mismatch", () => a.memCache({ name: "any", size: 4088 }));
  });
});

describe("limits", () => {
  test("more names than fit: says which limit, and changes nothing", () => {
    const heap = oneCpu({ bytes: MIB, maxNames: 16, percpuBytes: 64 * 1024 });
    for (let i = 0; i < 16; i++) heap.memCache({ size: 8 });
    assert.match(
      refuses(heap, "limit", () => heap.memCache({ size: 8 })),
      /16.*raise maxNames/,
    );
    assert.match(
      refuses(heap, "limit", () => heap.memAlloc({ name: "any" })),
      /raise maxNames/,
    );
    assert.match(
      refuses(heap, "limit", () => heap.roots.set("root", 1)),
      /raise maxNames/,
    );
    heap.checkInvariants();
  });

  test("more allocators than fit in a CPU's area: says so, and changes nothing", () => {
    const heap = oneCpu({ bytes: MIB, maxNames: 200, percpuBytes: 16 * 1024 });
    const open = () => {
      for (let i = 0; i < 200; i++) heap.memCache({ size: 8 });
    };
    assert.match(throwsCode("limit", open), /16384.*raise percpuBytes/);
    assert.match(
      refuses(heap, "limit", () => heap.memCache({ size: 8 })),
      /raise percpuBytes/,
    );
    heap.checkInvariants();
  });

  test("calls that fail at the limit of names do not use up the CPUs' areas", () => {
    const heap = oneCpu({ bytes: MIB, maxNames: 16, percpuBytes: 16 * 1024 });
    for (let i = 0; i < 16; i++) heap.roots.set(`root ${i}`, i);
    for (let i = 0; i < 200; i++) {
      assert.match(
        throwsCode("limit", () => heap.memCache({ size: 8 })),
        /raise maxNames/,
        `call ${i}`,
      );
    }
  });
});

describe("opening again", () => {
  test("on the same thread gives a second handle on the same caches", () => {
    const heap = oneCpu();
    const first = heap.memAlloc({ name: "any" });
    const second = heap.memAlloc({ name: "any" });
    const p = first.alloc(100);
    second.free(p);
    assert.equal(first.alloc(100), p);
    heap.checkInvariants();
  });

  for (const size of [8, 64, 500, 4000, 8184]) {
    test(`however often, the stock stays bounded: ${size} bytes`, () => {
      const heap = oneCpu();
      for (let i = 0; i < 40; i++) heap.memCache({ name: "fixed", size });
      heap.checkInvariants();
    });
  }

  test("after a detach, on the same CPU, finds the caches as they were", () => {
    const [a, b] = cpusOf(2);
    const p = b.memAlloc({ name: "any" }).alloc(100);
    const home = homeOf(a, p);
    b.detach();
    const next = SharedHeap.attach(a.token);
    const pool = next.memAlloc({ name: "any" });
    assert.equal(homeOf(a, pool.alloc(100)), home);
    pool.free(p);
    a.checkInvariants();
    assert.equal(booksOf(a, "any").out, 1);
  });
});

describe("without memory", () => {
  test("the first opening fails, holds nothing, and works once there is memory", () => {
    const [a, b] = cpusOf(2, { bytes: MIB });
    const blocks = exhaust({ alloc: (n) => a.kmalloc(n), free: (p) => a.kfree(p) }, 4096);
    throwsCode("out-of-memory", () => b.memAlloc({ name: "any" }));
    assert.equal(b.malloc(10), 0, "malloc opens without stock, so that the thread can free");
    assert.equal(usedObjects(a), blocks.length);
    a.checkInvariants();
    for (const p of blocks) a.kfree(p);
    assert.notEqual(b.memAlloc({ name: "any" }).alloc(100), 0);
    assert.notEqual(b.malloc(100), 0);
    a.checkInvariants();
  });

  test("a thread that comes when the heap is full can free what others have left", () => {
    for (const size of [56, 2000, 8000]) {
      const [a] = cpusOf(1, { bytes: MIB });
      const objects = exhaust(a.memCache({ name: "fixed", size }), size);
      a.detach();
      const next = SharedHeap.attach(a.token);
      freeAll(next.memCache({ name: "fixed", size }), objects);
      next.checkInvariants();
      assert.equal(booksOf(next, "fixed").out, 0);
    }
  });

  test("opening again does not break the handle that is open", () => {
    const heap = oneCpu({ bytes: MIB });
    const pool = heap.memCache({ name: "fixed", size: 2000 });
    const objects = exhaust(pool, 2000);
    try {
      heap.memCache({ name: "fixed", size: 2000 });
    } catch {
      // whether it fails does not matter here
    }
    freeAll(pool, objects);
    heap.checkInvariants();
    assert.notEqual(pool.alloc(), 0);
  });

  test("an unnamed allocator that could not be opened leaves no trace in the next one", () => {
    const heap = oneCpu({ bytes: MIB });
    const pool = heap.memCache({ name: "fixed", size: 2000 });
    const objects = exhaust(pool, 2000);
    throwsCode("out-of-memory", () => heap.memCache({ size: 2000 }));
    freeAll(pool, objects);
    assert.equal(heap.memCache({ size: 4000 }).size, 4000);
    heap.checkInvariants();
  });

  test("an opening on one CPU leaves the others' caches alone", () => {
    const [a, b] = cpusOf(2, { bytes: MIB });
    const pool = a.memAlloc({ name: "any" });
    const objects = exhaust(pool, 4088);
    try {
      b.memAlloc({ name: "any" });
    } catch {
      // whether it fails does not matter here
    }
    freeAll(pool, objects);
    assert.equal(allocMany(pool, 4088, 100).indexOf(0), -1);
    a.checkInvariants();
  });
});
