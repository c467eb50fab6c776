import assert from "node:assert/strict";
import { test } from "node:test";
import type { Booted } from "#src/boot.js";
import { CACHE_TAKER, DESC_STATE } from "#src/mm/layout.js";
import { inUseOf, isFrozen } from "#src/mm/slab-state.js";
import { MIB, newCpus } from "../support/heaps.ts";
import { assertSound, slabCount } from "../support/sound.ts";

const SIZE = 1024;
const EACH = 4;

interface Setting {
  readonly cpus: [Booted, ...Booted[]];
  readonly cache: number;
  /** Offsets of objects, slab by slab; all slabs are full and on no list. */
  readonly slabs: number[][];
}

/** Two CPUs; `count` full slabs, made by the first CPU, which then goes on to a slab of its own. */
function fullSlabs(count: number): Setting {
  const cpus = newCpus(2, { bytes: 4 * MIB, maxCpus: 2 });
  const { kmalloc } = cpus[0];
  const slabs = Array.from({ length: count }, () => Array.from({ length: EACH }, () => kmalloc.alloc(SIZE)));
  kmalloc.alloc(SIZE);
  return { cpus, cache: kmalloc.cacheFor(SIZE), slabs };
}

function pageOf(slab: readonly number[]): number {
  return Math.floor((slab[0] ?? 0) / 4096);
}

test("a cache without listed slabs gives none", () => {
  const { cpus, cache } = fullSlabs(3);
  for (const { kmalloc } of cpus) {
    assert.equal(kmalloc.slab.lists.take(cache), 0);
    assert.equal(kmalloc.slab.lists.sweep(cache, 10, true), 0);
  }
});

test("each listed slab is taken once, by any CPU, frozen and with free objects", () => {
  const { cpus, cache, slabs } = fullSlabs(5);
  for (const slab of slabs) cpus[1]?.kmalloc.free(slab[1] ?? 0);
  assertSound(cpus[0]);
  const taken = slabs.map((_, i) => (cpus[i % 2] ?? cpus[0]).kmalloc.slab.lists.take(cache));
  assert.deepEqual(taken.toSorted(), slabs.map(pageOf).toSorted());
  const { pages } = cpus[0];
  for (const page of taken) {
    const state = pages.words[pages.descriptor(page) + DESC_STATE] ?? 0;
    assert.deepEqual([isFrozen(state), inUseOf(state)], [true, EACH - 1]);
  }
  assert.equal(cpus[0].kmalloc.slab.lists.take(cache), 0);
  for (const page of taken) cpus[1]?.kmalloc.slab.lists.put(cache, page);
  assertSound(cpus[0]);
});

test("sweep gives back empty slabs, at most as many as it may look at, and leaves the others", () => {
  const { cpus, cache, slabs } = fullSlabs(12);
  const { lists } = cpus[1]?.kmalloc.slab ?? cpus[0].kmalloc.slab;
  // taken off the lists, so that the frees which empty them cannot give them back
  for (const slab of slabs) cpus[1]?.kmalloc.free(slab[0] ?? 0);
  const taken = slabs.map(() => lists.take(cache));
  for (const slab of slabs.slice(0, 8)) for (const p of slab.slice(1)) cpus[1]?.kmalloc.free(p);
  for (const page of taken) lists.put(cache, page);
  assertSound(cpus[0]);
  const { held } = cpus[0].pages;
  const first = lists.sweep(cache, 6, true);
  assert.ok(first <= 6);
  const rest = lists.sweep(cache, 100, true);
  assert.equal(first + rest, 8, "one page each");
  assert.equal(cpus[0].pages.held, held - 8);
  assert.equal(slabCount(cpus[0], cache), 4 + 1);
  assertSound(cpus[0]);
});

test("sweep keeps the last listed slab, empty or not", () => {
  const { cpus, cache, slabs } = fullSlabs(3);
  for (const p of slabs.flat()) cpus[1]?.kmalloc.free(p);
  for (let again = 0; again < 3; again++) cpus[1]?.kmalloc.slab.lists.sweep(cache, 10, true);
  assert.equal(slabCount(cpus[0], cache), 2, "one listed, one current");
  assertSound(cpus[0]);
});

test("whoever does not get the taker word goes on without: no slab, nothing swept", () => {
  const { cpus, cache, slabs } = fullSlabs(3);
  const { kmalloc } = cpus[0];
  const { words } = kmalloc.slab;
  for (const slab of slabs) kmalloc.free(slab[0] ?? 0);
  const { claim } = cpus[0].cpu;
  words[cache + CACHE_TAKER] = claim;
  assert.equal(kmalloc.slab.lists.take(cache), 0);
  assert.equal(kmalloc.slab.lists.sweep(cache, 10, true), 0);
  for (const p of slabs.flatMap((slab) => slab.slice(1))) cpus[1]?.kmalloc.free(p);
  for (let i = 0; i < 20; i++) assert.ok(cpus[1]?.kmalloc.alloc(SIZE), "from new slabs");
  assert.equal(words[cache + CACHE_TAKER], claim);
  words[cache + CACHE_TAKER] = 0;
  assertSound(cpus[0]);
  assert.ok(kmalloc.slab.lists.take(cache) > 0);
});
