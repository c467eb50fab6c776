import assert from "node:assert/strict";
import { test } from "node:test";
import { Roots } from "#src/arena/index.js";
import { PERCPU_USED } from "#src/arena/layout.js";
import type { Booted } from "#src/boot.js";
import { type KmemCache, type KmemCacheOptions, openKmemCache } from "#src/mm/index.js";
import { changesNothing, throwsCode } from "../support/errors.ts";
import { attachTo, KIB, MIB, newHeap } from "../support/heaps.ts";
import { assertSound, usedObjects } from "../support/sound.ts";

function open(system: Booted, options: Partial<KmemCacheOptions>): KmemCache {
  const { kmalloc, directory, areas } = system;
  return openKmemCache(kmalloc, directory, areas, { name: "c", size: 48, ...options });
}

test("threads that open the same name share the cache", () => {
  const system = newHeap({ bytes: MIB });
  const other = attachTo(system);
  const [a, b] = [open(system, {}), open(other, {})];
  const out = Array.from({ length: 200 }, (_, i) => (i % 2 ? a : b).alloc());
  assert.equal(new Set(out).size, 200);
  assert.equal(usedObjects(system).get("c"), 200);
  for (const p of out) b.free(p);
  assertSound(system);
  assert.equal(system.directory.count, 1);
});

test("opening takes the options that the cache was made with, and no others", () => {
  const system = newHeap({ bytes: MIB });
  const ctor = (): void => {};
  open(system, { size: 100, align: 64 });
  open(system, { name: "made", size: 24, ctor });
  open(system, { size: 100, align: 64 });
  open(system, { name: "made", size: 24, ctor: () => {} });
  changesNothing(system.arena.words, () => {
    const align = 64;
    const wrong = [{ size: 99, align }, { size: 100, align: 128 }, { size: 100 }, { size: 100, align, ctor }];
    for (const options of wrong)
      throwsCode("mismatch", () => open(system, options), /"c" was made with size 100, align 64, no ctor/);
    throwsCode("mismatch", () => open(system, { name: "made", size: 24 }), /a ctor/);
  });
});

test("bad options and names are refused, and make nothing", () => {
  const system = newHeap({ bytes: MIB });
  changesNothing(system.arena.words, () => {
    const sizes = [0, 7, 8193, -8, 8.5, NaN, "8", undefined];
    for (const size of sizes)
      throwsCode("bad-option", () => open(system, { size } as KmemCacheOptions), /^size is/);
    const aligns = [0, 4, 12, 24, 8192, -8, 8.5, NaN, "8"];
    for (const align of aligns)
      throwsCode("bad-option", () => open(system, { align } as KmemCacheOptions), /^align is/);
    for (const name of ["", "x".repeat(29), "é", 5, undefined]) {
      throwsCode("bad-name", () => open(system, { name } as KmemCacheOptions));
    }
  });
});

test("a cache may have the name of a root", () => {
  const system = newHeap({ bytes: MIB });
  new Roots(system.directory).set("c", 7);
  assert.ok(open(system, {}).alloc() > 0);
  assert.equal(new Roots(system.directory).get("c"), 7);
  assertSound(system);
});

test("a full directory is a limit, and takes no room in the areas", () => {
  const system = newHeap({ bytes: MIB, maxNames: 16 });
  for (let i = 0; i < 16; i++) open(system, { name: `c${i}` });
  changesNothing(system.arena.words, () => {
    for (let again = 0; again < 5; again++)
      throwsCode("limit", () => open(system, { name: "more" }), /maxNames/);
  });
});

test("full areas are a limit, and take no name", () => {
  const system = newHeap({ bytes: MIB, percpuBytes: 16 * KIB });
  const used = system.arena.words[PERCPU_USED] ?? 0;
  system.areas.reserve(system.areas.areaWords - used);
  changesNothing(system.arena.words, () => {
    for (let again = 0; again < 5; again++) throwsCode("limit", () => open(system, {}), /percpuBytes/);
  });
});

test("free of NULL is nothing; of what is no object's start, bad-pointer", () => {
  const system = newHeap({ bytes: MIB });
  const cache = open(system, {});
  const p = cache.alloc();
  const large = system.kmalloc.alloc(20_000);
  changesNothing(system.arena.words, () => {
    cache.free(0);
    const wrong = [
      16,
      p + 8,
      p + 4,
      -p,
      p + 0.5,
      p + 2 ** 32,
      NaN,
      4096,
      large,
      MIB,
      `${p}`,
      null,
      undefined,
      {},
      1n,
    ];
    for (const each of wrong)
      throwsCode("bad-pointer", () => cache.free(each as number), /no object starts there/);
  });
});

test("free of another cache's object is wrong-cache, even of the same size", () => {
  const system = newHeap({ bytes: MIB });
  const [a, b] = [open(system, { name: "a", size: 64 }), open(system, { name: "b", size: 64 })];
  const theirs = [b.alloc(), system.kmalloc.alloc(64)];
  a.alloc();
  changesNothing(system.arena.words, () => {
    for (const p of theirs) throwsCode("wrong-cache", () => a.free(p), /"a".*another cache's/);
  });
});

test("kfree takes objects of any slab cache", () => {
  const system = newHeap({ bytes: MIB });
  const p = open(system, {}).alloc();
  system.kmalloc.free(p);
  assertSound(system);
  assert.deepEqual(usedObjects(system), new Map());
});

test("a closed cache refuses alloc and free, and another opening of it goes on", () => {
  const system = newHeap({ bytes: MIB });
  const [closed, cache] = [open(system, {}), open(system, {})];
  const p = closed.alloc();
  closed.close();
  changesNothing(system.arena.words, () => {
    throwsCode("detached", () => closed.alloc());
    throwsCode("detached", () => closed.free(p));
  });
  cache.free(p);
  assertSound(system);
});

test("when pages are out, empty slabs of other caches are used before alloc is NULL", () => {
  const system = newHeap({ bytes: 300 * KIB, maxCpus: 1, percpuBytes: 16 * KIB, maxNames: 16 });
  const { kmalloc, pages } = system;
  const cache = kmalloc.cacheFor(2048);
  const out = Array.from({ length: 40 }, () => kmalloc.alloc(2048));
  for (let i = 0; i < 40; i += 2) kmalloc.free(out[i] ?? 0);
  const taken = out.map(() => kmalloc.slab.lists.take(cache)).filter((page) => page !== 0);
  for (let i = 1; i < 40; i += 2) kmalloc.free(out[i] ?? 0);
  for (const page of taken) kmalloc.slab.lists.put(cache, page);
  while (pages.alloc(1) !== 0);
  assert.ok(open(system, { size: 500 }).alloc() > 0);
});
