/** `kmallocNolock` and `kfreeNolock`: for code that may have interrupted anything. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { GFP_ACCOUNT, GFP_KERNEL, GFP_ZERO, SharedHeap, type TracepointName } from "sharedheap";
import { exhaust, freeAll, MIB, oneCpu, type Pool, refuses, usedObjects } from "../memalloc/heaps.ts";
import { POINTS } from "../support/points.ts";
import { provoke } from "./points.ts";

const BUCKETS = [8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192];
const CONTEXTS = ["softirq", "hardirq", "nmi"] as const;

function nolock(heap: SharedHeap): Pool {
  return { alloc: (size) => heap.kmallocNolock(size), free: (p) => heap.kfreeNolock(p) };
}

/** Objects in use of each slab cache, by name. */
function usedByName(heap: SharedHeap): Map<string, number> {
  return new Map(heap.stats().slabs.map(({ name, used }) => [name, used]));
}

/** The sizes of whose caches `call` took an object. */
function tookFrom(heap: SharedHeap, call: () => void): number[] {
  const before = usedByName(heap);
  call();
  const after = usedByName(heap);
  const ofSize = (size: number) => `kmalloc-${size}`;
  return BUCKETS.filter((size) => after.get(ofSize(size)) !== before.get(ofSize(size)));
}

// -- sizes and flags --------------------------------------------------------------------------------

test("sizes up to 8192 give memory of their own, larger ones 0, and 0 the pointer to nothing", () => {
  const heap = oneCpu({ bytes: 16 * MIB });
  const ends: [number, number][] = [];
  for (let size = 1; size <= 8192; size += size < 600 ? 1 : 97) {
    const p = heap.kmallocNolock(size);
    assert.ok(p > 0 && p % 8 === 0, `${size} bytes`);
    heap.u8.fill(255, p, p + size);
    ends.push([p, p + size]);
  }
  ends.sort(([a], [b]) => a - b);
  for (let i = 1; i < ends.length; i++) assert.ok(ends[i - 1][1] <= ends[i][0], "objects overlap");
  heap.checkInvariants();
  for (const size of [8193, 10_000, 2 ** 27, 2 ** 40]) refusesNothing(heap, size);
  assert.equal(heap.kmallocNolock(0), 16);
  freeAll(nolock(heap), [0, 16, ...ends.map(([p]) => p)]);
  assert.equal(usedObjects(heap), 0);
});

function refusesNothing(heap: SharedHeap, size: number): void {
  const { held } = heap.stats().pages;
  assert.equal(heap.kmallocNolock(size), 0, `${size} bytes`);
  assert.equal(heap.stats().pages.held, held);
}

test("the next larger cache is not used without need", () => {
  const heap = oneCpu();
  for (const size of BUCKETS)
    assert.deepEqual(
      tookFrom(heap, () => heap.kmallocNolock(size)),
      [size],
    );
});

test("wrong sizes and flags are refused", () => {
  const heap = oneCpu();
  for (const size of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "8", undefined])
    refuses(heap, "bad-size", () => heap.kmallocNolock(size as number));
  for (const flags of [GFP_KERNEL, 8, GFP_ZERO | GFP_KERNEL, -1, 0.5, Number.NaN, "1", 2 ** 32])
    refuses(heap, "bad-option", () => heap.kmallocNolock(64, flags as number));
  for (const flags of [0, GFP_ZERO, GFP_ACCOUNT, GFP_ZERO | GFP_ACCOUNT])
    assert.notEqual(heap.kmallocNolock(64, flags), 0);
  heap.detach();
  assert.throws(() => heap.kmallocNolock(64), { code: "detached" });
  assert.throws(() => heap.kfreeNolock(64), { code: "detached" });
});

test("with GFP_ZERO memory that was used before is zeros", () => {
  const heap = oneCpu();
  const size = fc.integer({ min: 1, max: 8192 });
  fc.assert(
    fc.property(fc.array(size, { minLength: 1, maxLength: 20 }), (sizes) => {
      const dirty = sizes.map((bytes) => heap.kmallocNolock(bytes));
      dirty.forEach((p, i) => void heap.u8.fill(255, p, p + sizes[i]));
      freeAll(nolock(heap), dirty);
      for (const bytes of sizes) {
        const p = heap.kmallocNolock(bytes, GFP_ZERO);
        assert.ok(heap.u8.subarray(p, p + bytes).every((byte) => byte === 0));
        heap.kfreeNolock(p);
      }
      heap.checkInvariants();
    }),
  );
});

test("kfree takes objects of kmallocNolock, and kfreeNolock those of kmalloc, of any size", () => {
  const heap = oneCpu();
  for (const size of [1, 64, 8192]) {
    heap.kfree(heap.kmallocNolock(size));
    heap.kfreeNolock(heap.kmalloc(size));
  }
  heap.kfreeNolock(heap.kmalloc(100_000));
  heap.checkInvariants();
  assert.equal(usedObjects(heap), 0);
  assert.equal(heap.stats().large.blocks, 0);
  refuses(heap, "bad-pointer", () => heap.kfreeNolock(12));
  refuses(heap, "bad-pointer", () => heap.kfreeNolock(heap.stats().bytes - 4096));
});

// -- nested ---------------------------------------------------------------------------------------------

/** What kmallocNolock does inside of a kmalloc of `outer` bytes, at that tracepoint: the sizes it took objects of. */
function inside(name: TracepointName, outer: number, sizes: readonly number[]): number[][] {
  const heap = oneCpu();
  const took: number[][] = [];
  const off = heap.tracepoints.on(name, () => {
    for (const size of sizes) took.push(tookFrom(heap, () => heap.kmallocNolock(size)));
  });
  assert.notEqual(heap.kmalloc(outer), 0);
  off();
  heap.checkInvariants();
  return took;
}

for (const name of ["slab:alloc", "slab:new"] as const) {
  test(`inside of a kmalloc, at ${name}, it takes from the next larger cache`, () => {
    BUCKETS.forEach((size, i) => {
      const larger = BUCKETS.slice(i + 1, i + 2);
      assert.deepEqual(inside(name, size, [size, size]), [larger, larger], `${size} bytes`);
    });
  });

  test(`inside of a kmalloc, at ${name}, other sizes are served from their own caches`, () => {
    for (const size of [8, 4096, 8192]) assert.deepEqual(inside(name, 64, [size]), [[size]]);
  });

  test(`nested twice, at ${name}, it gets NULL`, () => {
    const heap = oneCpu();
    const got: number[] = [];
    let depth = 0;
    const handler = () => {
      depth++;
      if (depth === 1) assert.notEqual(heap.kmallocNolock(64), 0);
      else if (depth === 2) for (const size of [64, 96, 128]) got.push(heap.kmallocNolock(size));
    };
    const off = heap.tracepoints.on(name, handler, { nested: true });
    heap.kmalloc(64);
    off();
    assert.equal(got[0], 0, "64 and 96 are in use");
    assert.ok(got[1] !== 0 && got[2] !== 0, "from 128, both");
    heap.checkInvariants();
  });
}

test("inside of a free there is nothing in the way", () => {
  for (const name of ["slab:free", "slab:discard"] as const) {
    const heap = oneCpu();
    const objects = Array.from({ length: 40 }, () => heap.kmalloc(4096));
    let calls = 0;
    const off = heap.tracepoints.on(name, () => {
      calls++;
      assert.deepEqual(
        tookFrom(heap, () => heap.kmallocNolock(4096)),
        [4096],
      );
    });
    for (const p of objects) heap.kfree(p);
    off();
    assert.ok(calls > 0, name);
    heap.checkInvariants();
  }
});

test("a free from inside every tracepoint is taken", () => {
  for (const name of POINTS) {
    const heap = oneCpu({ maxCpus: 2 });
    const pool = heap.memCache({ name: "fixed", size: 64 });
    const objects = BUCKETS.flatMap((size) => exhaustUpTo(heap, size, 30));
    let freed = 0;
    const off = heap.tracepoints.on(name, () => {
      const p = objects.pop();
      if (p === undefined) return;
      if (freed++ % 2 === 0) heap.kfreeNolock(p);
      else heap.context.nmi(() => heap.kfreeNolock(p));
    });
    provoke(heap, pool);
    off();
    assert.ok(freed > 1, name);
    freeAll(nolock(heap), objects);
    heap.detach();
    assert.equal(usedObjects(heap), 0, name);
    heap.checkInvariants();
  }
});

function exhaustUpTo(heap: SharedHeap, size: number, count: number): number[] {
  return Array.from({ length: count }, () => heap.kmallocNolock(size));
}

// -- contexts, and a full heap --------------------------------------------------------------------------

test("in a realtime heap it is 0 in hardirq and nmi, on all threads, and as ever elsewhere", () => {
  const first = SharedHeap.create({ bytes: MIB, maxCpus: 2, turns: false, realtime: true });
  for (const heap of [first, SharedHeap.attach(first.token, { turns: false })]) {
    assert.notEqual(heap.kmallocNolock(64), 0);
    assert.notEqual(
      heap.context.softirq(() => heap.kmallocNolock(64)),
      0,
    );
    for (const kind of ["hardirq", "nmi"] as const) {
      const call = () => heap.context[kind](() => heap.context.softirq(() => heap.kmallocNolock(64)));
      const { pages, slabs } = heap.stats();
      assert.equal(call(), 0, kind);
      assert.deepEqual(heap.stats(), { ...heap.stats(), pages, slabs }, "nothing was touched");
      refuses(heap, "bad-size", () => heap.context[kind](() => heap.kmallocNolock(-1)));
      const p = heap.kmallocNolock(64);
      heap.context[kind](() => heap.kfreeNolock(p));
    }
    heap.checkInvariants();
  }
});

test("in other heaps every context is served", () => {
  const heap = oneCpu();
  for (const kind of CONTEXTS)
    assert.notEqual(
      heap.context[kind](() => heap.kmallocNolock(64)),
      0,
      kind,
    );
  heap.checkInvariants();
});

test("in a full heap it is 0, and changes nothing that counts", () => {
  for (const size of BUCKETS) {
    const heap = oneCpu({ bytes: 512 * 1024, maxNames: 16 });
    const objects = exhaust(nolock(heap), size);
    assert.ok(objects.length * size > 100 * 1024);
    const before = bookkeeping(heap);
    for (const kind of CONTEXTS)
      assert.equal(
        heap.context[kind](() => heap.kmallocNolock(size)),
        0,
      );
    assert.deepEqual(bookkeeping(heap), before);
    heap.checkInvariants();
    heap.context.nmi(() => heap.kfreeNolock(objects.pop() as number));
    assert.notEqual(heap.kmallocNolock(size), 0, "what was freed can be had");
    heap.checkInvariants();
  }
});

/** What calls that fail leave as it was: all but how often they tried. */
function bookkeeping(heap: SharedHeap) {
  const { pages, slabs, allocators } = heap.stats();
  return { pages, allocators, slabs: slabs.map(({ refills, ...rest }) => rest) };
}

test("it does not look for memory that others may give back", () => {
  const heap = oneCpu({ bytes: MIB });
  const other = heap.memCache({ name: "other", size: 2000 });
  other.reserve(30);
  exhaust(nolock(heap), 8192);
  const { listedBytes } = heap.stats().cpus[0];
  assert.ok(listedBytes > 50_000);
  assert.equal(heap.kmallocNolock(8192), 0);
  assert.equal(heap.stats().cpus[0].listedBytes, listedBytes);
  assert.notEqual(heap.kmalloc(8192), 0, "kmalloc does");
  heap.checkInvariants();
});

// -- anything, anywhere -------------------------------------------------------------------------------------

/** Objects that are held, each filled with the low byte of its size. */
class Holder {
  readonly held = new Map<number, number>();
  private readonly heap: SharedHeap;

  constructor(heap: SharedHeap) {
    this.heap = heap;
  }

  take(size: number, p: number): void {
    if (p === 0) return;
    assert.ok(!this.held.has(p), "an object with two owners");
    this.held.set(p, size);
    this.heap.u8.fill(size & 255, p, p + size);
  }

  drop(): void {
    const [first] = this.held;
    if (first === undefined) return;
    const [p, size] = first;
    assert.ok(this.heap.u8.subarray(p, p + size).every((byte) => byte === (size & 255)));
    this.held.delete(p);
    this.heap.kfreeNolock(p);
  }
}

interface Step {
  readonly size: number;
  readonly how: "task" | (typeof CONTEXTS)[number];
  readonly frees: number;
  readonly isNolock: boolean;
  /** Sizes that handlers ask for meanwhile. */
  readonly nested: readonly number[];
}

function runSteps(steps: readonly Step[]): void {
  const heap = oneCpu({ bytes: MIB });
  const holder = new Holder(heap);
  let nested: number[] = [];
  const handler = () => {
    const size = nested.pop();
    if (size === undefined) return;
    holder.take(size, heap.kmallocNolock(size));
    if (size % 3 === 0) holder.drop();
  };
  for (const name of POINTS) heap.tracepoints.on(name, handler, { nested: true });
  for (const { size, how, frees, isNolock, ...step } of steps) {
    nested = [...step.nested];
    const call = () => {
      holder.take(size, isNolock ? heap.kmallocNolock(size) : heap.kmalloc(size));
      for (let i = 0; i < frees; i++) holder.drop();
    };
    if (how === "task") call();
    else heap.context[how](call);
    heap.checkInvariants();
    assert.equal(usedObjects(heap), holder.held.size);
  }
}

test("calls of both kinds, in all contexts and tracepoints, keep objects apart", () => {
  const size = fc.oneof(fc.constantFrom(...BUCKETS), fc.integer({ min: 1, max: 8192 }));
  const step: fc.Arbitrary<Step> = fc.record({
    size,
    how: fc.constantFrom("task" as const, ...CONTEXTS),
    frees: fc.nat(3),
    isNolock: fc.boolean(),
    nested: fc.array(size, { maxLength: 4 }),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 60, size: "max" }), runSteps), { numRuns: 100 });
});
