/** What NULL means in task context: there was nothing to be had. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type MemAlloc, type MemCache, SharedHeap } from "sharedheap";
import { UNIT_SIZES } from "#src/memalloc/sizes.js";
import {
  allocMany,
  booksOf,
  cpusOf,
  exhaust,
  freeAll,
  MIB,
  oneCpu,
  type Pool,
  usedObjects,
} from "./heaps.ts";

/** Slabs of which no object is in use, by the names of their caches: memory that could be had. */
function emptySlabs(heap: SharedHeap): string[] {
  return heap
    .stats()
    .slabs.filter(({ slabs, used }) => slabs > 0 && used === 0)
    .map(({ name, slabs }) => `${slabs} of ${name}`);
}

function assertDistinct(objects: readonly number[], size: number): void {
  const sorted = Float64Array.from(objects).sort();
  for (let i = 1; i < sorted.length; i++)
    assert.ok(sorted[i] - sorted[i - 1] >= size + 8, `${sorted[i]} overlaps`);
}

for (const unit of UNIT_SIZES) {
  test(`unit ${unit}: NULL when all pages are held and no other bucket keeps stock`, () => {
    const heap = oneCpu({ bytes: MIB });
    const pool = heap.memAlloc({ name: "any" });
    for (const other of UNIT_SIZES) freeAll(pool, allocMany(pool, other - 8, 10));
    const objects = exhaust(pool, unit - 8);
    assertDistinct(objects, unit - 8);
    heap.checkInvariants();
    assert.equal(heap.stats().cpus[0].listedBytes, 0);
    const { total, held } = heap.stats().pages;
    assert.equal(held, total);
    assert.equal(pool.alloc(unit - 8), 0);
    pool.free(objects.pop() as number);
    objects.push(pool.alloc(unit - 8));
    assert.notEqual(objects.at(-1), 0, "a free makes an alloc possible");
    freeAll(pool, objects);
    heap.checkInvariants();
    assert.equal(exhaust(pool, unit - 8).length, objects.length, "as many as the first time");
  });
}

test("NULL is not returned while a slab of another size is empty", () => {
  const heap = oneCpu({ bytes: MIB });
  const pool = heap.memAlloc({ name: "any" });
  for (const unit of UNIT_SIZES) freeAll(pool, allocMany(pool, unit - 8, 10));
  exhaust(pool, 56);
  assert.deepEqual(emptySlabs(heap), []);
});

test("memory that one bucket gave back serves any other", () => {
  const heap = oneCpu({ bytes: MIB });
  const pool = heap.memAlloc({ name: "any" });
  for (const unit of UNIT_SIZES) {
    const objects = exhaust(pool, unit - 8);
    assert.ok(objects.length * unit > 0.7 * MIB, `${objects.length} objects of unit ${unit}`);
    freeAll(pool, objects);
    heap.checkInvariants();
  }
});

test("stock of this CPU's other allocators is given back before NULL", () => {
  const heap = oneCpu({ bytes: MIB });
  const other = heap.memCache({ name: "other", size: 2000 });
  const pool = heap.memCache({ name: "fixed", size: 4088 });
  freeAll(other, allocMany(other, 2000, 12));
  exhaust(pool, 4088);
  assert.equal(booksOf(heap, "other").listed, 0);
  assert.equal(booksOf(heap, "other").taken, 0);
  heap.checkInvariants();
});

test("empty slabs of a program's own slab cache are given back before NULL", () => {
  const heap = oneCpu({ bytes: MIB });
  const own = heap.kmemCache({ name: "own", size: 1000 });
  const pool = heap.memCache({ name: "fixed", size: 4088 });
  const objects = allocMany(own, 1000, 100);
  freeAll(own, objects);
  exhaust(pool, 4088);
  assert.deepEqual(emptySlabs(heap), []);
});

test("chains that wait on other CPUs are given back before NULL", () => {
  const [a, b] = cpusOf(2, { bytes: MIB });
  const producer = a.memCache({ name: "fixed", size: 2000 });
  const consumer = b.memCache({ name: "fixed", size: 2000 });
  const objects = allocMany(producer, 2000, 40);
  while (booksOf(a, "fixed").trims === 0) consumer.free(objects.pop() as number);
  const waiting = a.stats().cpus[0].listedBytes;
  exhaust(b.memCache({ name: "other", size: 500 }), 500);
  const kept = a.stats().cpus[0].listedBytes;
  assert.ok(kept < waiting, `${kept} of ${waiting} bytes still on CPU 0's lists`);
  a.checkInvariants();
});

test("other CPUs keep their private stock, at most 250 KB each", () => {
  const cpus = cpusOf(3, { bytes: 4 * MIB });
  const pools = cpus.map((heap) => heap.memAlloc({ name: "any" }));
  for (const pool of pools) for (const unit of UNIT_SIZES) freeAll(pool, allocMany(pool, unit - 8, 400));
  const objects = exhaust(pools[0], 56);
  const stock = cpus[0].stats().cpus.map((cpu) => cpu.listedBytes);
  assert.equal(stock[0], 0);
  for (const bytes of stock) assert.ok(bytes <= 250_000, `${bytes} bytes`);
  assert.ok(stock[1] > 0, "what others have on hand they still can use");
  assert.notEqual(pools[1].alloc(4088), 0);
  freeAll(pools[2], objects);
  for (const heap of cpus) heap.checkInvariants();
});

test("NULL is not returned while any slab is empty, however many others are not", () => {
  const heap = SharedHeap.create({ bytes: 16 * MIB, maxCpus: 1 });
  const pool = heap.memCache({ name: "fixed", size: 56 });
  const objects = exhaust(pool, 56);
  const pageOf = (p: number) => Math.floor(p / 4096);
  const pages = [...new Set(objects.map(pageOf))];
  const emptied = new Set(pages.slice(-40, -20));
  // one object of each of thousands of slabs first, so that all of them are listed as partly free
  const single = new Map(objects.map((p) => [pageOf(p), p]));
  for (const [page, p] of single) if (!emptied.has(page)) pool.free(p);
  for (const p of objects) if (emptied.has(pageOf(p))) pool.free(p);
  heap.checkInvariants();
  const large = heap.memCache({ name: "large", size: 4088 });
  const got = exhaust(large, 4088).length;
  assert.ok(got >= 15, `20 pages hold nothing at all, ${got} were given`);
});

function fillRandomly(pool: MemAlloc, seed: number): number[] {
  const objects: number[] = [];
  let random = seed;
  for (let misses = 0; misses < 20; ) {
    random = (Math.imul(random, 1103515245) + 12345) >>> 0;
    const p = pool.alloc(1 + ((random >>> 8) % 4088));
    if (p === 0) misses++;
    else objects.push(p);
  }
  return objects;
}

test("mixed sizes to the last page and back, again and again", () => {
  const [a, b] = cpusOf(2, { bytes: 2 * MIB });
  const pools = [a.memAlloc({ name: "any" }), b.memAlloc({ name: "any" })];
  for (let round = 0; round < 10; round++) {
    const objects = fillRandomly(pools[round % 2], round);
    assert.equal(new Set(objects).size, objects.length);
    a.checkInvariants();
    freeAll(pools[(round >> 1) % 2], objects);
    a.checkInvariants();
    assert.equal(booksOf(a, "any").out, 0);
  }
  a.detach();
  b.detach();
  assert.equal(usedObjects(a), 0);
});

test("kmalloc and the allocators take each other's free pages", () => {
  const heap = oneCpu({ bytes: MIB });
  const pool = heap.memAlloc({ name: "any" });
  const blocks: Pool = { alloc: (size) => heap.kmalloc(size), free: (p) => heap.kfree(p) };
  const first = exhaust(blocks, 20_000);
  freeAll(blocks, first);
  const objects = exhaust(pool, 1000);
  assert.equal(heap.kmalloc(20_000), 0);
  freeAll(pool, objects);
  assert.ok(exhaust(blocks, 20_000).length >= first.length - 4, "but for a few slabs in stock");
  heap.checkInvariants();
});

test("a thread that finds no memory for an allocator that another one has just made leaves it alone", () => {
  const heap = oneCpu({ maxCpus: 2 });
  const other = SharedHeap.attach(heap.token, { turns: false });
  let made: { readonly pool: MemCache; readonly p: number } | undefined;
  const inject = (site: string) => {
    if (site === "names" && made === undefined) {
      // this thread has looked for the name, and not made it yet
      const pool = heap.memCache({ name: "fixed", size: 64 });
      made = { pool, p: pool.alloc() };
    }
    return site === "slab";
  };
  const { faults } = (other as unknown as { booted: { arena: { faults: { test: unknown } } } }).booted.arena;
  faults.test = inject;
  other.memCache({ name: "fixed", size: 64 });
  faults.test = undefined;
  other.poll();
  heap.poll();
  assert.ok(made);
  made.pool.free(made.p);
  heap.checkInvariants();
});
