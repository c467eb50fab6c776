/** `heap.faultInject`: which allocations fail; and that each of them may, without harm. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type FaultOptions, type FaultSite, SharedHeap, SharedHeapError } from "sharedheap";
import { exhaust, MIB, oneCpu, refuses, settle } from "../memalloc/heaps.ts";
import { SCENARIOS, type Scenario, type Undo } from "./fault-scenarios.ts";

const SITES: readonly FaultSite[] = ["pages", "slab", "percpu", "names"];
/** At one site, or everywhere. */
const PLACES: readonly FaultOptions[] = [...SITES.map((site) => ({ site })), {}];
/** What a call may say whose allocation failed. */
const CODES = ["limit", "out-of-memory"];

// -- the injection itself -------------------------------------------------------------------------------

/** For each of `count` allocations of pages: whether it succeeded. */
function pagesUnder(heap: SharedHeap, count: number): string {
  // in NMI context there are no second tries
  const one = () => heap.context.nmi(() => heap.kmallocNolock(8192)) !== 0;
  const got = [];
  for (let i = 0; i < count; i++) {
    // each is the first of its slab
    got.push(one() ? "+" : "-");
    if (got.at(-1) === "+") while (currentRoom(heap) > 0) one();
  }
  return got.join("");
}

/** Objects that the slabs of 8192 bytes have left. */
function currentRoom(heap: SharedHeap): number {
  const slab = heap.stats().slabs.find(({ name }) => name === "kmalloc-8192");
  return slab === undefined ? 0 : slab.objects - slab.used;
}

const PATTERNS: readonly (readonly [FaultOptions, string])[] = [
  [{}, "--------"],
  [{ every: 1 }, "--------"],
  [{ every: 3 }, "++-++-++"],
  [{ after: 2 }, "++------"],
  [{ after: 2, every: 2 }, "+++-+-+-"],
  [{ times: 2 }, "--++++++"],
  [{ after: 1, every: 2, times: 2 }, "++-+-+++"],
  [{ after: 100 }, "++++++++"],
];

for (const [options, expected] of PATTERNS) {
  test(`with ${JSON.stringify(options)} the right ones fail`, () => {
    const heap = oneCpu();
    const faults = heap.faultInject({ site: "pages", ...options });
    assert.equal(pagesUnder(heap, 8), expected);
    assert.equal(faults.seen, 8);
    assert.equal(faults.failed, expected.split("-").length - 1);
    faults.stop();
    assert.equal(pagesUnder(heap, 3), "+++");
    assert.equal(faults.seen, 8);
    heap.checkInvariants();
  });
}

test("`using` ends it with the block", () => {
  const heap = oneCpu();
  {
    using faults = heap.faultInject({ site: "slab" });
    assert.equal(heap.kmalloc(64), 0);
    assert.ok(faults.failed > 0);
  }
  assert.notEqual(heap.kmalloc(64), 0);
});

test("a site fails only there", () => {
  for (const site of SITES) {
    const heap = oneCpu();
    heap.kfree(heap.kmalloc(64));
    using faults = heap.faultInject({ site });
    assert.equal(heap.kmalloc(64) === 0, site === "slab");
    assert.equal(heap.kmallocNolock(64) === 0, false, "kmallocNolock is not failed for slab");
    assert.equal(heap.kmalloc(50_000) === 0, site === "pages");
    assert.equal(heap.kmallocNolock(8192) === 0, site === "pages");
    const root = () => heap.roots.set("root", 8);
    if (site === "names") assert.throws(root, { code: "limit" });
    else root();
    assert.equal(faults.failed > 0, site !== "percpu");
    heap.checkInvariants();
  }
});

test("a second one takes the place of the first, and outlives its end", () => {
  const heap = oneCpu();
  const first = heap.faultInject({ site: "slab" });
  const second = heap.faultInject({ site: "pages" });
  assert.notEqual(heap.kmallocNolock(0), 0);
  assert.equal(heap.kmalloc(50_000), 0);
  assert.equal(first.seen, 0);
  first.stop();
  assert.equal(heap.kmalloc(50_000), 0, "the second one goes on");
  second.stop();
  assert.notEqual(heap.kmalloc(50_000), 0);
});

test("other threads' allocations do not fail", () => {
  const heap = SharedHeap.create({ bytes: MIB, maxCpus: 2, turns: false });
  const other = SharedHeap.attach(heap.token, { turns: false });
  heap.faultInject();
  assert.equal(heap.kmalloc(64), 0);
  assert.notEqual(other.kmalloc(64), 0);
});

test("wrong options are refused", () => {
  const heap = oneCpu();
  const wrong: unknown[] = [{ site: "page" }, { site: "" }, { site: null }, { site: "toString" }];
  for (const value of [-1, 1.5, Number.NaN, "2", 2 ** 40])
    wrong.push({ every: value }, { after: value }, { times: value });
  wrong.push({ every: 0 }, { times: 0 }, { every: Number.POSITIVE_INFINITY });
  for (const options of wrong)
    refuses(heap, "bad-option", () => heap.faultInject(options as FaultOptions), JSON.stringify(options));
  assert.notEqual(heap.kmalloc(64), 0, "and nothing fails");
  heap.detach();
  assert.throws(() => heap.faultInject(), { code: "detached" });
});

// -- what comes of it -----------------------------------------------------------------------------------

/** Runs a scenario under faults, undoes it, and sees that nothing is left of it. Returns how many failed. */
function runUnder({ prepare }: Scenario, options: FaultOptions): number {
  const heap = SharedHeap.create({ bytes: 2 * MIB, maxCpus: 2, turns: false });
  const run = prepare(heap);
  const undos: Undo[] = [];
  const faults = heap.faultInject(options);
  typedOnly(() => run(undos));
  heap.checkInvariants();
  undos.reverse().forEach((undo, i) => {
    // frees never fail, with faults or without
    if (i === undos.length >> 1) faults.stop();
    undo();
    heap.checkInvariants();
  });
  faults.stop();
  settle(heap);
  assertNothingOut(heap);
  heap.detach();
  assertNothingHeld(heap);
  return faults.failed;
}

/** `call` returns, or throws what it may. */
function typedOnly(call: () => void): void {
  try {
    call();
  } catch (error) {
    if (!(error instanceof SharedHeapError)) throw error;
    assert.ok(CODES.includes(error.code), `${error.code}: ${error.message}`);
  }
}

function assertNothingOut(heap: SharedHeap): void {
  const { allocators, large } = heap.stats();
  for (const { name, taken, listed } of allocators)
    assert.equal(taken, listed, `objects of "${name}" are out`);
  assert.equal(large.blocks, 0);
}

/** All threads have gone: one that comes can have every page. */
function assertNothingHeld({ token }: SharedHeap): void {
  const heap = SharedHeap.attach(token, { turns: false });
  heap.checkInvariants();
  for (const { name, used } of heap.stats().slabs) assert.equal(used, 0, `objects of ${name} are out`);
  const p = heap.kmalloc(heap.stats().pages.total * 4096);
  heap.kfree(p);
  assert.equal(heap.stats().pages.held, 0);
  heap.checkInvariants();
}

for (const each of SCENARIOS) {
  test(`${each.name}: any one allocation may fail`, () => {
    for (const place of PLACES) {
      for (let after = 0; runUnder(each, { ...place, after, times: 1 }) > 0; after++) assert.ok(after < 2000);
    }
  });

  test(`${each.name}: all allocations may fail`, () => {
    for (const place of PLACES) for (const every of [1, 2, 3, 7]) runUnder(each, { ...place, every });
  });
}

test("scenarios get along with any faults", () => {
  const options = fc.record({
    every: fc.integer({ min: 1, max: 20 }),
    after: fc.integer({ min: 0, max: 60 }),
    times: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 1, max: 30 })),
  });
  fc.assert(
    fc.property(fc.constantFrom(...SCENARIOS), fc.constantFrom(...PLACES), options, (each, place, faults) => {
      runUnder(each, { ...place, ...faults });
    }),
    { numRuns: 100 },
  );
});

test("a full heap is as full after allocations that failed", () => {
  const heap = oneCpu({ bytes: MIB });
  const pool = heap.memCache({ name: "pool", size: 1000 });
  const objects = exhaust(pool, 1000);
  using _ = heap.faultInject();
  for (let i = 0; i < 20; i++) assert.equal(pool.alloc(), 0);
  for (const p of objects) pool.free(p);
  heap.checkInvariants();
});

test("opening that fails again and again uses nothing up", () => {
  for (const site of SITES) {
    const heap = oneCpu();
    const faults = heap.faultInject({ site });
    for (let i = 0; i < 300; i++) {
      typedOnly(() => void heap.memCache({ name: `cache ${i}`, size: 500 }));
      typedOnly(() => void heap.memAlloc({ name: `any ${i}` }));
      typedOnly(() => heap.roots.set(`root ${i % 8}`, 8));
      if (site !== "pages" && site !== "slab")
        typedOnly(() => void heap.kmemCache({ name: `slab ${i}`, size: 64 }));
      settle(heap);
    }
    faults.stop();
    for (let i = 0; i < 8; i++) assert.notEqual(heap.memCache({ size: 64 }).alloc(), 0, site);
    assert.notEqual(heap.kmemCache({ name: "last", size: 64 }).alloc(), 0);
    heap.checkInvariants();
  }
});
