import assert from "node:assert/strict";
import { test } from "node:test";
import type { Booted } from "#src/boot.js";
import { AREA_CONTEXT } from "#src/cpu/layout.js";
import type { KmemCache } from "#src/mm/index.js";
import { openKmemCache } from "#src/mm/index.js";
import { throwsCode } from "../support/errors.ts";
import { attachTo, KIB, MIB, newHeap } from "../support/heaps.ts";
import { assertSound, usedObjects } from "../support/sound.ts";

/** A cache whose constructor, called in the middle of an alloc, calls `inside`. */
function cacheWith(system: Booted, inside: (p: number) => void, size = 1000): KmemCache {
  const { kmalloc, directory, areas } = system;
  return openKmemCache(kmalloc, directory, areas, { name: "nested", size, ctor: inside });
}

test("an alloc nested in an alloc of the same cache is NULL, and the outer one succeeds", () => {
  const nested: number[] = [];
  const system = newHeap({ bytes: MIB });
  const cache = cacheWith(system, () => nested.push(cache.alloc()));
  const p = cache.alloc();
  assert.ok(p > 0);
  assert.deepEqual(nested, Array(nested.length).fill(0));
  assert.ok(nested.length > 0);
  assertSound(system);
  assert.equal(usedObjects(system).get("nested"), 1);
  assert.ok(cache.alloc() > 0, "afterwards it is as ever");
});

test("other caches and other CPUs serve a nested alloc", () => {
  const system = newHeap({ bytes: MIB });
  const other = attachTo(system);
  const got: number[] = [];
  const cache = cacheWith(system, () => {
    if (got.length === 0) got.push(system.kmalloc.alloc(1000), system.kmalloc.alloc(50_000), onOther.alloc());
  });
  const onOther = cacheWith(other, () => {});
  assert.ok(cache.alloc() > 0);
  assert.ok(got.every((p) => p > 0));
  assertSound(system);
  for (const p of got) other.kmalloc.free(p);
  assertSound(system);
});

test("a free nested in an alloc of the same cache is taken", () => {
  const system = newHeap({ bytes: MIB });
  const out: number[] = [];
  const cache = cacheWith(system, () => {
    for (const p of out.splice(0)) cache.free(p);
  });
  for (let round = 0; round < 6; round++) {
    for (let i = 0; i < 30; i++) out.push(cache.alloc());
    assert.ok(out.every((p) => p > 0));
    assertSound(system);
  }
  const { size } = new Set(out);
  assert.equal(usedObjects(system).get("nested") ?? 0, size);
});

test("flush nested in an alloc of the same cache does nothing", () => {
  const system = newHeap({ bytes: MIB });
  const cache = cacheWith(system, () => system.kmalloc.slab.flush(slab));
  const slab = system.directory.at(0) + 16;
  for (let i = 0; i < 20; i++) assert.ok(cache.alloc() > 0);
  assertSound(system);
});

test("a constructor runs in a critical section: no deferred work comes between", () => {
  const system = newHeap({ bytes: MIB });
  const seen = new Set<boolean>();
  cacheWith(system, () => seen.add(system.cpu.inTask())).alloc();
  assert.deepEqual([...seen], [false]);
  assert.equal(system.arena.words[system.cpu.area + AREA_CONTEXT], 0);
});

test("a constructor that throws leaves everything as it was, however often", () => {
  const system = newHeap({ bytes: 300 * KIB, maxCpus: 1, percpuBytes: 16 * KIB, maxNames: 16 });
  let failing = true;
  let calls = 0;
  const cache = cacheWith(system, () => {
    if (++calls % 3 === 0 && failing) throw new Error("on purpose");
  });
  for (let round = 0; round < 200; round++) {
    assert.throws(() => cache.alloc(), /on purpose/);
    assert.equal(system.cpu.inTask(), true);
    assert.equal(system.pages.held, 0);
    assertSound(system);
  }
  failing = false;
  assert.ok(cache.alloc() > 0);
  assertSound(system);
});

test("each object is constructed once, when its slab is made, with its own offset", () => {
  const system = newHeap({ bytes: MIB });
  const constructed: number[] = [];
  const cache = cacheWith(system, (p) => constructed.push(p));
  const out = Array.from({ length: 50 }, () => cache.alloc());
  assert.equal(new Set(constructed).size, constructed.length);
  assert.ok(out.every((p) => constructed.includes(p)));
  const before = constructed.length;
  for (const p of out) cache.free(p);
  cache.alloc();
  assert.equal(constructed.length, before, "not again when a freed one is handed out");
});

test("constructors that allocate too deep are refused, and no cache is of less use after", () => {
  const system = newHeap({ bytes: 8 * MIB, maxNames: 256 });
  const { kmalloc, directory, areas } = system;
  const caches: KmemCache[] = [];
  let isDeep = true;
  for (let i = 0; i < 140; i++) {
    const ctor = () => void (isDeep && caches[i + 1]?.alloc());
    caches.push(openKmemCache(kmalloc, directory, areas, { name: `cache ${i}`, size: 4096, ctor }));
  }
  throwsCode("limit", () => caches[0].alloc());
  assertSound(system);
  isDeep = false;
  for (const cache of caches) assert.ok(cache.alloc() > 0, cache.name);
  assertSound(system);
});
