import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Booted } from "#src/boot.js";
import { kmallocSizeRoundup } from "#src/mm/index.js";
import { attachTo, flushAll, KIB, newCpus, newHeap } from "../support/heaps.ts";
import { randomFrom } from "../support/random.ts";
import { assertSound, managedPages, usedObjects } from "../support/sound.ts";

const small = { maxCpus: 2, percpuBytes: 16 * KIB, maxNames: 16 };

function fill({ kmalloc }: Booted, size: number): number[] {
  const out: number[] = [];
  for (let p = kmalloc.alloc(size); p !== 0; p = kmalloc.alloc(size)) out.push(p);
  return out;
}

test("memory that small objects had is there for big ones once they are freed, and back", () => {
  const system = newHeap({ bytes: 900 * KIB, ...small });
  const pages = managedPages(system);
  for (const size of [8, 5000, 64, 40_000, 700, 8192]) {
    const out = fill(system, size);
    assert.ok(
      out.length * kmallocSizeRoundup(size) > pages * 4096 * 0.85,
      `${out.length} objects of ${size} bytes in ${pages} pages`,
    );
    assertSound(system);
    for (const p of out) system.kmalloc.free(p);
    assertSound(system);
    assert.deepEqual(usedObjects(system), new Map());
  }
});

test("all is freed: whatever the sizes were, nearly every page is free again", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(sizes, fc.nat(), (list, seed) => {
      const cpus = newCpus(2, { bytes: 1200 * KIB, ...small });
      const random = randomFrom(seed);
      const out: number[] = [];
      for (let failed = 0; failed < 8; ) {
        const p = (cpus[random(2)] ?? cpus[0]).kmalloc.alloc(list[random(list.length)] ?? 1);
        if (p === 0) failed++;
        else out.push(p);
      }
      assertSound(cpus[0]);
      while (out.length > 0)
        (cpus[random(2)] ?? cpus[0]).kmalloc.free(out.splice(random(out.length), 1)[0] ?? 0);
      for (const cpu of cpus) flushAll(cpu);
      assertSound(cpus[0]);
      assert.deepEqual(usedObjects(cpus[0]), new Map());
      for (let i = 0; i < 10; i++) cpus[1]?.kmalloc.shrink();
      assert.ok(cpus[0].pages.held <= list.length * 8, `${cpus[0].pages.held} pages of empty slabs`);
    }),
    { numRuns: 25 },
  );
});

/** A full heap whose empty slabs could not be given back when they were emptied: they had been taken off the lists. */
function fullOfEmptySlabs(): [Booted, Booted] {
  const system = newHeap({ bytes: 900 * KIB, ...small });
  const other = attachTo(system);
  const { lists } = system.kmalloc.slab;
  const cache = system.kmalloc.cacheFor(1024);
  const out = fill(system, 1024);
  for (let i = 0; i < out.length; i += 4) other.kmalloc.free(out[i] ?? 0);
  const taken: number[] = [];
  for (let page = lists.take(cache); page !== 0; page = lists.take(cache)) taken.push(page);
  out.forEach((p, i) => {
    if (i % 4 !== 0) other.kmalloc.free(p);
  });
  for (const page of taken) lists.put(cache, page);
  assertSound(system);
  assert.equal(system.pages.held, managedPages(system));
  return [system, other];
}

for (const size of [2048, 8192, 100_000]) {
  test(`empty slabs of other sizes are given back when pages are wanted, for ${size} bytes`, () => {
    const [system, other] = fullOfEmptySlabs();
    assert.ok(other.kmalloc.alloc(size) > 0);
    assert.ok(system.kmalloc.alloc(size) > 0);
    assertSound(system);
  });
}

test("NULL changes no object, and one free is enough for the next of that size", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60_000 }), fc.nat(), (size, pick) => {
      const system = newHeap({ bytes: 900 * KIB, ...small });
      const out = fill(system, size);
      assertSound(system);
      const [p = 0] = out.splice(pick % out.length, 1);
      system.kmalloc.free(p);
      assertSound(system);
      const again = system.kmalloc.alloc(size);
      assert.ok(again > 0 && !out.includes(again));
      assert.equal(system.kmalloc.alloc(size), 0);
      assertSound(system);
    }),
    { numRuns: 40 },
  );
});
