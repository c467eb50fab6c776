/** Allocators that go away. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { GFP_KERNEL, GFP_ZERO, SharedHeap } from "sharedheap";
import {
  allocMany,
  booksOf,
  cpusOf,
  freeAll,
  MIB,
  oneCpu,
  type Pool,
  refuses,
  settle,
  throwsCode,
  usedObjects,
} from "./heaps.ts";

/** Polls all heaps until the promise has settled. */
async function polled<T>(promise: Promise<T>, ...heaps: SharedHeap[]): Promise<T> {
  let isOver = false;
  const done = promise.finally(() => {
    isOver = true;
  });
  for (let i = 0; i < 100 && !isOver; i++) {
    for (const heap of heaps) heap.poll();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(isOver, "still going away after 100 polls");
  return done;
}

describe("destroy", () => {
  for (const kind of ["memAlloc", "memCache"] as const) {
    test(`${kind}: all memory comes back, and what is out is named`, async () => {
      const heap = oneCpu();
      const pool =
        kind === "memAlloc" ? heap.memAlloc({ name: "x" }) : heap.memCache({ name: "x", size: 64 });
      const objects = allocMany(pool, 64, 200);
      const leaked = objects.splice(0, 3);
      freeAll(pool, objects.splice(0, 100));
      for (const p of objects) pool.freeRcu(p);
      const result = await polled(pool.destroy(), heap);
      assert.deepEqual([...result.leaked].sort(), [...leaked].sort());
      assert.equal(usedObjects(heap), 3);
      assert.deepEqual(heap.stats().allocators, []);
      heap.checkInvariants();
    });
  }

  test("completes by itself in an idle event loop", async () => {
    const heap = SharedHeap.create({ bytes: 4 * MIB, maxCpus: 1 });
    const pool = heap.memAlloc({ name: "x" });
    freeAll(pool, allocMany(pool, 100, 100));
    const alive = setInterval(() => {}, 1000);
    assert.deepEqual(await pool.destroy(), { leaked: [] });
    clearInterval(alive);
    assert.equal(usedObjects(heap), 0);
    heap.detach();
  });

  test("other threads' calls work until they poll, then throw `destroyed`", async () => {
    const [a, b] = cpusOf(2);
    const [mine, theirs] = [a.memCache({ name: "x", size: 64 }), b.memCache({ name: "x", size: 64 })];
    const objects = allocMany(theirs, 64, 10);
    const gone = mine.destroy();
    throwsCode("destroyed", () => mine.alloc());
    throwsCode("destroyed", () => mine.free(objects[0]));
    throwsCode("destroyed", () => mine.destroy());
    throwsCode("destroyed", () => theirs.destroy());
    freeAll(theirs, objects);
    assert.notEqual(theirs.alloc(), 0);
    settle(a);
    assert.equal(booksOf(a, "x").out, 1);
    b.poll();
    throwsCode("destroyed", () => theirs.alloc());
    throwsCode("destroyed", () => theirs.allocFlags(GFP_KERNEL));
    assert.equal((await polled(gone, a, b)).leaked.length, 1);
    a.checkInvariants();
  });

  test("waits for readers of both kinds, and for nobody else", async () => {
    const [a, b] = cpusOf(2);
    const pool = a.memCache({ name: "x", size: 64 });
    freeAll(pool, allocMany(pool, 64, 60));
    const section = b.rcu.tasksTrace.enter();
    const gone = pool.destroy();
    settle(a);
    assert.notEqual(usedObjects(a), 0, "a reader may still look at the type");
    section.exit();
    await polled(gone, a);
    assert.equal(usedObjects(a), 0);
  });

  test("the name is free at once; records and caches are used again", async () => {
    const heap = oneCpu({ maxNames: 16 });
    for (let i = 0; i < 300; i++) {
      const pool =
        i % 3 === 0 ? heap.memAlloc({ name: `n${i}` }) : heap.memCache({ name: "same", size: 8 + i });
      const objects = allocMany(pool, 8, 30);
      assert.ok(objects.every((p) => p !== 0));
      freeAll(pool, objects);
      const gone = pool.destroy();
      assert.deepEqual((await polled(gone, heap)).leaked, []);
    }
    assert.equal(usedObjects(heap), 0);
    heap.checkInvariants();
  });

  test("one of the same name may be opened while the old one goes away", async () => {
    const [a, b] = cpusOf(2);
    const old = a.memCache({ name: "x", size: 64 });
    b.memCache({ name: "x", size: 64 });
    const p = old.alloc();
    const gone = old.destroy();
    const fresh = a.memCache({ name: "x", size: 100 });
    assert.notEqual(fresh.alloc(), 0);
    throwsCode("wrong-cache", () => fresh.free(p));
    assert.deepEqual((await polled(gone, a, b)).leaked, [p]);
    assert.notEqual(fresh.alloc(), 0);
    a.checkInvariants();
  });

  test("malloc goes on with a new allocator", async () => {
    const heap = oneCpu();
    const p = heap.malloc(100);
    const gone = heap.memAlloc({ name: "malloc" }).destroy();
    assert.notEqual(heap.malloc(100), 0);
    assert.deepEqual((await polled(gone, heap)).leaked, [p]);
  });

  test("not in a nested context, not after detach", () => {
    const heap = oneCpu();
    const pool = heap.memCache({ name: "x", size: 64 });
    throwsCode("bad-context", () => heap.context.nmi(() => pool.destroy()));
    heap.detach();
    throwsCode("detached", () => pool.destroy());
  });
});

describe("destructors", () => {
  test("run once for each object, when it goes back to slab and not before", () => {
    const heap = oneCpu();
    const seen: number[] = [];
    heap.destructor("count", (p) => seen.push(p));
    const pool = heap.memCache({ name: "x", size: 64, dtor: "count" });
    const objects = allocMany(pool, 64, 300);
    freeAll(pool, objects.slice(0, 30));
    assert.equal(seen.length, 0);
    freeAll(pool, objects.slice(30));
    settle(heap);
    assert.ok(seen.length > 150, `${seen.length} destroyed`);
    pool.destroy();
    settle(heap);
    assert.equal(new Set(seen).size, seen.length);
    assert.ok(objects.every((p) => seen.includes(p)));
    assert.equal(usedObjects(heap), 0);
  });

  test("threads that were not told leave it to one that was", () => {
    const [a, b] = cpusOf(2);
    const seen: number[] = [];
    const pool = a.memCache({ name: "x", size: 64, dtor: "count" });
    const p = pool.alloc();
    pool.rawFree(p);
    settle(a);
    assert.notEqual(usedObjects(a), 0);
    b.destructor("count", (object) => seen.push(object));
    settle(b);
    assert.deepEqual(seen, [p]);
    a.checkInvariants();
  });

  test("one that throws tells the poll, and the others run", () => {
    const heap = oneCpu();
    let calls = 0;
    heap.destructor("bad", () => {
      if (++calls === 2) throw new Error("no");
    });
    const pool = heap.memCache({ name: "x", size: 64, dtor: "bad" });
    freeAll(pool, allocMany(pool, 64, 90));
    pool.destroy();
    assert.throws(() => settle(heap), /no/);
    settle(heap);
    assert.equal(usedObjects(heap), 0);
    heap.checkInvariants();
  });

  test("another destructor is a mismatch", () => {
    const heap = oneCpu();
    heap.memCache({ name: "x", size: 64, dtor: "one" });
    throwsCode("mismatch", () => heap.memCache({ name: "x", size: 64 }));
    throwsCode("mismatch", () => heap.memCache({ name: "x", size: 64, dtor: "two" }));
    throwsCode("bad-name", () => heap.destructor("", () => {}));
  });
});

describe("rawFree and allocFlags", () => {
  test("rawFree goes straight to slab; a wrong one is told", () => {
    const heap = oneCpu();
    const pools: (Pool & { rawFree(p: number): void })[] = [heap.memAlloc(), heap.memCache({ size: 64 })];
    for (const pool of pools) {
      const p = pool.alloc(64);
      const used = usedObjects(heap);
      pool.rawFree(p);
      assert.equal(usedObjects(heap), used - 1);
      throwsCode("double-free", () => pool.rawFree(p));
      throwsCode("bad-pointer", () => pool.rawFree(12345));
      pool.rawFree(0);
      heap.checkInvariants();
    }
  });

  test("GFP_KERNEL goes to slab where alloc gives up", () => {
    const heap = oneCpu();
    const any = heap.memAlloc({ name: "any" });
    const fixed = heap.memCache({ name: "x", size: 64 });
    heap.context.nmi(() => {
      while (fixed.alloc() !== 0);
      while (any.alloc(64) !== 0);
      assert.equal(fixed.allocFlags(0), 0);
      const p = fixed.allocFlags(GFP_KERNEL);
      const q = any.allocFlags(64, GFP_KERNEL);
      assert.ok(p !== 0 && q !== 0);
      fixed.free(p);
      any.free(q);
    });
    assert.equal(any.allocFlags(5000, GFP_KERNEL), 0);
    assert.equal(any.allocFlags(0, GFP_KERNEL | GFP_ZERO), 16);
    throwsCode("bad-option", () => fixed.allocFlags(4));
    heap.checkInvariants();
  });

  test("GFP_ZERO: zeros, also in memory that was used", () => {
    const heap = oneCpu();
    const fixed = heap.memCache({ name: "x", size: 61 });
    const p = fixed.alloc();
    heap.u8.fill(255, p, p + 61);
    fixed.free(p);
    const q = fixed.allocFlags(GFP_ZERO);
    assert.equal(q, p);
    assert.ok(heap.u8.subarray(q, q + 61).every((byte) => byte === 0));
    heap.checkInvariants();
  });
});

test("a destructor that throws leaves no callback under way", () => {
  const heap = oneCpu();
  let left = 1;
  heap.destructor("throws", () => {
    if (left-- > 0) throw new Error("told to");
  });
  const pool = heap.memCache({ name: "fixed", size: 64, dtor: "throws" });
  freeAll(pool, allocMany(pool, 64, 300));
  assert.throws(() => settle(heap), /told to/);
  heap.checkInvariants();
  settle(heap);
  heap.checkInvariants();
});

test("an allocator that is refused for its destructor costs no name", () => {
  const heap = oneCpu();
  heap.memCache({ name: "without", size: 64 });
  heap.memCache({ name: "with", size: 64, dtor: "one" });
  for (const name of ["without", "with"])
    refuses(heap, "mismatch", () => heap.memCache({ name, size: 64, dtor: "another" }));
  refuses(heap, "mismatch", () => heap.memCache({ name: "with", size: 64 }));
});

describe("freeLeaked", () => {
  test("gives back the memory of what was out when its allocator ended, of each kind", async () => {
    const heap = oneCpu();
    const open = [
      () => heap.memAlloc({ name: "any" }),
      () => heap.memCache({ size: 100 }),
      () => heap.memCache({ size: 100, owned: true }),
      () => heap.memCache({ size: 100, percpu: true }),
    ];
    for (const opened of open) {
      const pool = opened() as Pool & { destroy(): Promise<{ leaked: readonly number[] }> };
      const objects = allocMany(pool, 100, 50);
      const end = pool.destroy();
      settle(heap);
      const { leaked } = await end;
      assert.deepEqual(leaked.toSorted(), objects.toSorted());
      assert.equal(usedObjects(heap), 50);
      heap.freeLeaked(leaked);
      assert.equal(usedObjects(heap), 0);
      heap.checkInvariants();
      refuses(heap, "bad-pointer", () => heap.freeLeaked(leaked));
    }
  });

  test("takes nothing else, and then nothing at all", async () => {
    const heap = oneCpu();
    const pool = heap.memCache({ size: 100 });
    const gone = heap.memCache({ size: 100 });
    const [live, freed, lost] = [pool.alloc(), pool.alloc(), gone.alloc()];
    pool.free(freed);
    const end = gone.destroy();
    settle(heap);
    await end;
    for (const p of [live, freed, heap.kmalloc(100), 0, 16, lost + 8, lost - 8, -1, Number.NaN, "8" as never])
      refuses(heap, "bad-pointer", () => heap.freeLeaked([lost, p]), String(p));
    heap.freeLeaked([lost]);
    pool.free(live);
    heap.checkInvariants();
  });
});
