import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Booted } from "#src/boot.js";
import { slabCaches } from "#src/inspect/system.js";
import { attachTo, detach, flushAll, KIB, MIB, newCpus } from "../support/heaps.ts";
import { randomFrom } from "../support/random.ts";
import { assertSound, slabCount, usedObjects } from "../support/sound.ts";
import { type Shape, StampedObjects } from "./stamped-objects.ts";

const size = fc.oneof(fc.integer({ min: 8, max: 100 }), fc.integer({ min: 8, max: 8192 }), fc.constant(8192));
const shape: fc.Arbitrary<Shape> = fc.record({
  size,
  align: fc.oneof(
    fc.constant(8),
    fc.integer({ min: 3, max: 12 }).map((shift) => 2 ** shift),
  ),
  constructed: fc.boolean(),
  typesafe: fc.boolean(),
});
const shapes = fc.array(shape, { minLength: 1, maxLength: 3 });
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ cpu: fc.nat(2), cache: fc.nat(2), alloc: fc.integer({ min: 1, max: 40 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ cpu: fc.nat(2), cache: fc.nat(2), free: fc.array(fc.nat(), { maxLength: 40 }) }),
  },
  { weight: 1, arbitrary: fc.record({ cpu: fc.nat(2), cache: fc.nat(2), flush: fc.constant(true) }) },
);

/** More than this many empty slabs, of any number, would be a leak. */
const FEW_SLABS = 4;

function open(cpus: readonly Booted[], list: readonly Shape[]): StampedObjects[] {
  return list.map((each, i) => new StampedObjects(cpus, `cache ${i}`, each));
}

/** Objects out, by the test's account, is what the heap counts. */
function checkUsed(system: Booted, caches: readonly StampedObjects[]): void {
  const expected = caches
    .map(({ live }, i) => [`cache ${i}`, live.length] as const)
    .filter(([, count]) => count > 0);
  assert.deepEqual([...usedObjects(system)].toSorted(), expected);
}

test("objects that move between three CPUs never overlap, and every invariant holds after each call", () => {
  fc.assert(
    fc.property(shapes, fc.array(step, { minLength: 10, maxLength: 60 }), (list, steps) => {
      const cpus = newCpus(3, { bytes: 32 * MIB, maxCpus: 3 });
      const caches = open(cpus, list);
      for (const one of steps) {
        const cache = caches[one.cache % caches.length] as StampedObjects;
        if ("alloc" in one) for (let i = 0; i < one.alloc; i++) assert.ok(cache.alloc(one.cpu));
        if ("free" in one) for (const index of one.free) cache.freeAt(one.cpu, index);
        if ("flush" in one) flushAll(cpus[one.cpu] as Booted);
        assertSound(cpus[0]);
      }
      for (const cache of caches) cache.checkStamps();
      checkUsed(cpus[0], caches);
      for (const cache of caches) cache.freeAll(1);
      for (const cpu of cpus) flushAll(cpu);
      assertSound(cpus[0]);
      checkUsed(cpus[0], caches);
    }),
    { numRuns: 80 },
  );
});

test("single calls of alloc and free, with all invariants after each", () => {
  const call = fc.tuple(fc.nat(2), fc.boolean(), fc.nat());
  fc.assert(
    fc.property(fc.integer({ min: 1000, max: 8192 }), fc.array(call, { maxLength: 60 }), (bytes, calls) => {
      const cpus = newCpus(3, { bytes: 2 * MIB, maxCpus: 3 });
      const cache = new StampedObjects(cpus, "cache 0", { size: bytes, align: 8, constructed: false });
      for (const [cpu, isAlloc, index] of calls) {
        if (isAlloc) assert.ok(cache.alloc(cpu));
        else cache.freeAt(cpu, index);
        assertSound(cpus[0]);
        checkUsed(cpus[0], [cache]);
      }
    }),
    { numRuns: 60 },
  );
});

test("slabs go back to the page allocator once everything is freed", () => {
  const order = fc.constantFrom("first", "last", "any");
  fc.assert(
    fc.property(shape, fc.integer({ min: 1, max: 2000 }), order, fc.nat(), (given, count, from, seed) => {
      const cpus = newCpus(3, { bytes: 48 * MIB, maxCpus: 3 });
      const cache = new StampedObjects(cpus, "cache 0", given);
      for (let i = 0; i < count; i++) assert.ok(cache.alloc(i));
      const before = slabs(cpus[0]);
      const random = randomFrom(seed);
      while (cache.live.length > 0) {
        const index = { first: 0, last: cache.live.length - 1, any: random(cache.live.length) }[from];
        cache.freeAt(random(3), index);
      }
      for (const each of cpus) flushAll(each);
      for (const { callbacks } of cpus) callbacks.poll(count); // typesafe slabs wait for readers
      assertSound(cpus[0]);
      assert.ok(slabs(cpus[0]) <= FEW_SLABS, `${slabs(cpus[0])} slabs of ${before} are left`);
    }),
    { numRuns: 60 },
  );
});

/** Slabs of the program's first cache. */
function slabs(system: Booted): number {
  return slabCount(system, slabCaches(system).at(-1)?.cache ?? 0);
}

test("a full slab's first free makes it usable for any CPU, before new pages are taken", () => {
  const cpus = newCpus(3, { bytes: MIB, maxCpus: 3 });
  const cache = new StampedObjects(cpus, "c", { size: 512, align: 8, constructed: false });
  for (let i = 0; i < 8 * 4; i++) cache.alloc(0);
  const { held } = cpus[0].pages;
  const { p } = cache.live[3] as { p: number };
  cache.freeAt(1, 3);
  assertSound(cpus[0]);
  cache.alloc(2);
  assert.equal(cache.live.at(-1)?.p, p);
  assert.equal(cpus[0].pages.held, held);
  assertSound(cpus[0]);
});

test("a slab that is some CPU's current one is not given back by whoever frees its last object", () => {
  const cpus = newCpus(2, { bytes: MIB, maxCpus: 2 });
  const cache = new StampedObjects(cpus, "c", { size: 1024, align: 8, constructed: false });
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < 3; i++) cache.alloc(0);
    cache.freeAll(1);
    assert.equal(slabs(cpus[0]), 1);
    assertSound(cpus[0]);
  }
  const { held } = cpus[0].pages;
  for (let i = 0; i < 4; i++) cache.alloc(0);
  assert.equal(cpus[0].pages.held, held, "its four objects are had again without new pages");
});

test("of a cache's listed slabs the last one stays, the others go as they empty", () => {
  const cpus = newCpus(2, { bytes: 4 * MIB, maxCpus: 2 });
  const cache = new StampedObjects(cpus, "c", { size: 4096, align: 8, constructed: false });
  for (let i = 0; i < 100; i++) cache.alloc(0);
  cache.freeAll(1);
  assertSound(cpus[0]);
  assert.ok(slabs(cpus[0]) <= 2, `${slabs(cpus[0])} slabs are left: one current, one listed`);
});

test("flush gives the current slab to others, or back, and twice is once", () => {
  const cpus = newCpus(2, { bytes: MIB, maxCpus: 2 });
  const cache = new StampedObjects(cpus, "c", { size: 1000, align: 8, constructed: true });
  cache.alloc(0);
  const slab = slabCaches(cpus[0]).at(-1)?.cache ?? 0;
  for (let i = 0; i < 2; i++) cpus[0].kmalloc.slab.flush(slab);
  assertSound(cpus[0]);
  cache.alloc(1);
  assert.equal(slabs(cpus[0]), 1, "the other CPU goes on with the slab");
  cache.freeAll(0);
  cpus[1]?.kmalloc.slab.flush(slab);
  assert.equal(slabs(cpus[0]), 0);
  assert.equal(cpus[0].pages.held, 0);
  assertSound(cpus[0]);
});

test("a CPU that leaves and comes back, time and again, loses no memory", () => {
  const [first] = newCpus(1, { bytes: MIB, maxCpus: 2 });
  for (let round = 0; round < 30; round++) {
    const guest = attachTo(first);
    const cache = new StampedObjects([first, guest], "c", { size: 72, align: 16, constructed: true });
    for (let i = 0; i < 100; i++) cache.alloc(1);
    for (let i = 0; i < 50; i++) cache.freeAt(round % 2, i * 13);
    detach(guest);
    assertSound(first);
    cache.freeAll(0);
    assertSound(first);
    checkUsed(first, []);
  }
  flushAll(first);
  assert.ok(first.pages.held <= 1);
});

test("when pages are out alloc is NULL, on every CPU, and one free object is enough for the next", () => {
  const cpus = newCpus(3, { bytes: 300 * KIB, maxCpus: 3, percpuBytes: 16 * KIB, maxNames: 16 });
  const cache = new StampedObjects(cpus, "c", { size: 700, align: 8, constructed: true });
  for (let cpu = 0; cpu < 3; cpu++) while (cache.alloc(cpu));
  assertSound(cpus[0]);
  for (let round = 0; round < 30; round++) {
    assert.equal(cache.alloc(round), false);
    cache.freeAt(round + 1, round * 31);
    assertSound(cpus[0]);
    assert.equal(cache.alloc(round + 1), true, "an object its own CPU freed");
  }
  cache.checkStamps();
  cache.freeAll(2);
  assertSound(cpus[0]);
});

test("a free object of a full heap is found, by whoever freed it or by another CPU", () => {
  const cpus = newCpus(3, { bytes: 300 * KIB, maxCpus: 3, percpuBytes: 16 * KIB, maxNames: 16 });
  const cache = new StampedObjects(cpus, "c", { size: 4096, align: 8, constructed: false });
  while (cache.alloc(0));
  for (let round = 0; round < 30; round++) {
    cache.freeAt(round, round * 31);
    assert.equal([0, 1, 2].filter((cpu) => cache.alloc(cpu)).length, 1);
    assertSound(cpus[0]);
  }
});
