import assert from "node:assert/strict";
import { test } from "node:test";
import { SharedHeap } from "sharedheap";
import { allocMany, booksOf, cpusOf, freeAll, MIB, oneCpu } from "../memalloc/heaps.ts";

const KMALLOC = [8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192];

test("a new heap has everything free", () => {
  const heap = SharedHeap.create({ bytes: 2 * MIB, maxCpus: 2, name: "main" });
  const { bytes, maxCpus, pages, cpus, allocators, slabs, large } = heap.stats();
  assert.deepEqual([bytes, maxCpus, pages.held, pages.peak], [2 * MIB, 2, 0, 0]);
  assert.ok(pages.total > 400 && pages.total < 512);
  assert.deepEqual(cpus[0], {
    cpu: 0,
    state: "online",
    generation: 1,
    name: "main",
    listedBytes: 0,
    currentPages: 0,
  });
  assert.deepEqual(cpus[1], {
    cpu: 1,
    state: "free",
    generation: 0,
    name: "",
    listedBytes: 0,
    currentPages: 0,
  });
  assert.deepEqual([allocators, large], [[], { blocks: 0, pages: 0 }]);
  assert.ok(
    slabs.every(({ slabs: count, pages: held, objects, used }) => count + held + objects + used === 0),
  );
});

/** Of per-CPU objects. */
const PERCPU = Array.from({ length: 10 }, (_, i) => 16 << i);

test("slab caches are listed: each set's, and the program's", () => {
  const heap = oneCpu();
  heap.kmemCache({ name: "own", size: 100 });
  const { slabs } = heap.stats();
  assert.deepEqual(
    slabs.map(({ name, unitBytes }) => [name, unitBytes]),
    [
      ...KMALLOC.map((size) => [`kmalloc-${size}`, size]),
      ...PERCPU.map((size) => [`percpu-${size}`, size]),
      ...KMALLOC.map((size) => [`memalloc-${size}`, size]),
      ...PERCPU.map((size) => [`memalloc-percpu-${size}`, size]),
      ...KMALLOC.map((size) => [`owned-${size}`, size]),
      ["own", 104],
    ],
  );
});

test("objects and pages of slabs", () => {
  const heap = oneCpu();
  const objects = Array.from({ length: 100 }, () => heap.kmalloc(64));
  const of = (name: string) => heap.stats().slabs.find((slab) => slab.name === name);
  assert.deepEqual(
    { ...of("kmalloc-64"), refills: 0 },
    { name: "kmalloc-64", unitBytes: 64, slabs: 2, pages: 2, objects: 128, used: 100, refills: 0 },
  );
  assert.equal(heap.stats().pages.held, 2);
  for (const p of objects.splice(0, 50)) heap.kfree(p);
  assert.equal(of("kmalloc-64")?.used, 50);
  assert.ok((of("kmalloc-64")?.refills ?? 0) >= 2);
});

test("blocks of whole pages", () => {
  const heap = oneCpu();
  const [p, q] = [heap.kmalloc(10_000), heap.kmalloc(100_000)];
  assert.deepEqual(heap.stats().large, { blocks: 2, pages: 3 + 25 });
  assert.equal(heap.stats().pages.held, 28);
  heap.kfree(p);
  assert.deepEqual(heap.stats().large, { blocks: 1, pages: 25 });
  heap.kfree(q);
  const { held, peak } = heap.stats().pages;
  assert.deepEqual([held, peak], [0, 28]);
});

test("the books of an allocator, over all CPUs", () => {
  const cpus = cpusOf(3);
  const pools = cpus.map((heap) => heap.memCache({ name: "fixed", size: 64 }));
  cpus[0].memAlloc({ name: "any" });
  const objects = pools.flatMap((pool) => allocMany(pool, 64, 60));
  const { kind, taken, listed, out, refills, trims } = booksOf(cpus[2], "fixed");
  assert.deepEqual({ kind, out, refills, trims }, { kind: "fixed", out: 180, refills: 6, trims: 0 });
  assert.equal(taken, 3 * (4 + 2 * 48));
  assert.equal(listed, taken - 180);
  freeAll(pools[1], objects);
  assert.deepEqual(booksOf(cpus[0], "fixed").out, 0);
  assert.ok(booksOf(cpus[0], "fixed").trims > 0);
  assert.equal(booksOf(cpus[0], "any").kind, "any");
});

test("bytes on lists are those of all allocators of a CPU, headers included", () => {
  const heap = oneCpu();
  heap.memCache({ size: 64 });
  heap.memCache({ size: 1000 });
  assert.equal(heap.stats().cpus[0].listedBytes, 4 * 72 + 1008);
});

test("statistics change nothing, and can be had by a thread that has detached", () => {
  const [a, b] = cpusOf(2);
  freeAll(a.memAlloc({ name: "any" }), allocMany(b.memAlloc({ name: "any" }), 100, 500));
  const before = a.i32.slice();
  const stats = a.stats();
  a.verify();
  assert.deepEqual(a.i32, before);
  a.detach();
  assert.equal(a.stats().cpus[0].state, "free");
  assert.equal(a.stats().bytes, stats.bytes);
});
