import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Booted } from "#src/boot.js";
import { verify } from "#src/inspect/index.js";
import {
  checkCache,
  checkPages,
  forEachBlock,
  slabPageAt,
  slabsByCache,
  slabsInQueues,
} from "#src/mm/index.js";
import * as at from "#src/mm/layout.js";
import { KIB, newCpus } from "../support/heaps.ts";
import { randomFrom } from "../support/random.ts";
import { assertSound } from "../support/sound.ts";

/** Two CPUs' worth of objects and blocks: full, partial, listed and current slabs. */
function furnished(): { system: Booted; cache: number; objects: number[] } {
  const cpus = newCpus(2, { bytes: 700 * KIB, maxCpus: 2, percpuBytes: 16 * KIB, maxNames: 16 });
  const [system] = cpus;
  const objects = Array.from({ length: 30 }, (_, i) => (cpus[i % 2] ?? system).kmalloc.alloc(1000));
  system.kmalloc.alloc(50_000);
  for (const i of [0, 1, 9]) system.kmalloc.free(objects[i] ?? 0);
  assertSound(system);
  return { system, cache: system.kmalloc.cacheFor(1000), objects };
}

/** What `verify` says after `damage`: at least one line, all of `layer`. */
function finds(
  layer: string,
  damage: (words: Int32Array, setting: ReturnType<typeof furnished>) => void,
): void {
  const setting = furnished();
  damage(setting.system.arena.words, setting);
  const problems = verify(setting.system);
  assert.ok(problems.length > 0, "the damage goes unnoticed");
  assert.ok(
    problems.every((problem) => problem.startsWith(layer)),
    problems.join("\n"),
  );
}

function descriptorOf({ pages }: Booted, p: number): number {
  return pages.descriptor(slabPageAt(pages, p >>> 2));
}

test("a page that is lost, or free and in use at once, is found", () => {
  finds("pages", (_, { system }) => system.pages.alloc(1));
  finds("pages", (_, { system, objects }) => system.pages.free((objects[5] ?? 0) >>> 12, 1));
});

test("a block whose descriptor is wiped is found", () => {
  const { system } = furnished();
  forEachBlock(system.pages, system.firstPage, (page, kind) => {
    if (kind === at.USE_LARGE) system.pages.setUse(page, at.USE_NONE, 0);
  });
  assert.match(verify(system).join(), /blocks in use have/);
});

test("a wrong state word is found, in each of its fields", () => {
  const flips = [
    at.STATE_FROZEN,
    1 << at.STATE_IN_USE_SHIFT,
    1 << at.STATE_FIRST_SHIFT,
    1 << (at.STATE_FIRST_SHIFT + 3),
  ];
  for (const flip of flips) {
    for (const i of [2, 5, 9, 29]) {
      finds("slab", (words, { system, objects }) => {
        const state = descriptorOf(system, objects[i] ?? 0) + at.DESC_STATE;
        words[state] = (words[state] ?? 0) ^ flip;
      });
    }
  }
});

test("a wrong count of slabs is found", () => {
  finds("slab", (words, { cache }) => words.fill(99, cache + at.CACHE_SLABS, cache + at.CACHE_SLABS + 1));
});

test("a slab that is on two lists, or current twice, or current and listed, is found", () => {
  finds("slab", (words, { cache }) =>
    words.fill(words[cache + at.CACHE_PARTIAL] ?? 0, cache + at.CACHE_SWEEP, cache + at.CACHE_SWEEP + 1),
  );
  finds("slab", (words, { system: { areas }, cache }) => {
    const local = (cpu: number): number => areas.areaOf(cpu) + (words[cache + at.CACHE_PERCPU] ?? 0);
    words[local(0) + at.SLAB_CPU_PAGE] = words[local(1) + at.SLAB_CPU_PAGE] ?? 0;
  });
});

test("a list of slabs that goes in a circle, or leads nowhere, is found", () => {
  for (const wrong of [-1, 2 ** 31 - 1, 5000]) {
    finds("slab", (words, { cache }) =>
      words.fill(wrong, words[cache + at.CACHE_PARTIAL], (words[cache + at.CACHE_PARTIAL] ?? 0) + 1),
    );
  }
  finds("slab", (words, { cache }) => {
    const first = words[cache + at.CACHE_PARTIAL] ?? 0;
    words[first] = first;
  });
});

test("a free list that goes in a circle, or leaves its slab, is found", () => {
  for (const wrong of ["itself", -1, 3, 2 ** 31 - 1]) {
    finds("slab", (words, { objects }) => {
      const freed = (objects[9] ?? 0) >>> 2;
      words[freed] = wrong === "itself" ? freed : (wrong as number);
    });
  }
});

test("a slab of a cache that does not exist is found", () => {
  finds("slab", (words, { system, objects }) => {
    words[descriptorOf(system, objects[5] ?? 0) + at.DESC_CACHE] = 4242;
  });
});

/** Walks everything this layer checks. */
function walk({ pages, areas, firstPage, kmalloc, callbacks }: Booted): void {
  const ignore = (): void => {};
  checkPages(pages, firstPage, ignore);
  const caches = kmalloc.allCaches();
  for (const [cache, slabs] of slabsByCache(pages, firstPage, caches, ignore)) {
    checkCache(pages, areas, cache, slabs, slabsInQueues(pages, callbacks, ignore), ignore);
  }
}

test("in a heap that is scribbled over, the checks end, and read nothing outside", () => {
  const { system } = furnished();
  const { words } = system.arena;
  const good = words.slice();
  const end = system.firstPage * 1024;
  const value = fc.oneof(
    fc.integer(),
    fc.integer({ min: -2, max: end }),
    fc.constantFrom(0, 1, -1, 2 ** 31 - 1),
  );
  const used = Array.from(good.keys()).filter((word) => word >= 1024 && good[word] !== 0);
  const word = fc.oneof(fc.integer({ min: 1024, max: words.length - 1 }), fc.constantFrom(...used));
  fc.assert(
    fc.property(fc.array(fc.tuple(word, value), { minLength: 1, maxLength: 8 }), (scribbles) => {
      words.set(good);
      for (const [where, what] of scribbles) words[where] = what;
      walk(system);
    }),
    { numRuns: 1500 },
  );
});

test("in a heap whose tables are noise, the checks end, and read nothing outside", () => {
  const { system } = furnished();
  const { words } = system.arena;
  const good = words.slice();
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const random = randomFrom(seed);
      words.set(good);
      for (let i = 0; i < 3000; i++) words[1024 + random(words.length - 1024)] = random(2 ** 32);
      walk(system);
    }),
    { numRuns: 50 },
  );
});
