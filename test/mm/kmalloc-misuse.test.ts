import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { SharedHeapError } from "#src/arena/index.js";
import type { Booted } from "#src/boot.js";
import { KMALLOC_SIZES, slabCacheOf, slabPageAt } from "#src/mm/index.js";
import { USE_COUNT_SHIFT } from "#src/mm/layout.js";
import { changesNothing, throwsCode } from "../support/errors.ts";
import { attachTo, MIB, newHeap } from "../support/heaps.ts";
import { assertSound } from "../support/sound.ts";

/** A heap with an object of each class, and a block of 5 pages. */
function furnished(): { system: Booted; objects: number[]; large: number } {
  const system = newHeap({ bytes: MIB });
  const objects = KMALLOC_SIZES.map((size) => system.kmalloc.alloc(size));
  return { system, objects, large: system.kmalloc.alloc(20_000) };
}

function refuses(system: Booted, p: unknown, message: RegExp = /^kfree/): void {
  throwsCode("bad-pointer", () => system.kmalloc.free(p as number), message);
}

test("what is no offset at all is a bad-pointer, and nothing changes", () => {
  const { system, objects } = furnished();
  const [p] = objects as [number];
  changesNothing(system.arena.words, () => {
    const numbers = [NaN, Infinity, -Infinity, -8, -p, p + 0.5, p + 2 ** 32, 2 ** 53, 2 ** 32, 1e300];
    for (const wrong of [...numbers, `${p}`, null, undefined, {}, [p], BigInt(p), true, Symbol("p")]) {
      refuses(system, wrong, /^kfree\(.*is not an offset of this heap/);
    }
  });
});

test("offsets outside the heap, in header and tables, or in free pages, are bad-pointers", () => {
  const { system } = furnished();
  const { pages, firstPage } = system;
  changesNothing(system.arena.words, () => {
    for (const wrong of [8, 24, 4088, pages.total * 4096, pages.total * 4096 + 8]) refuses(system, wrong);
    for (let page = 1; page < firstPage; page++) refuses(system, page * 4096, /is not allocated/);
    for (let page = firstPage; page < pages.total; page++) {
      if (!pages.isHeld(page)) refuses(system, page * 4096 + 64, /is not allocated/);
    }
  });
});

test("any offset inside an object is a bad-pointer", () => {
  const { system, objects } = furnished();
  changesNothing(system.arena.words, () => {
    objects.forEach((p, i) => {
      const size = KMALLOC_SIZES[i] as number;
      for (let inside = 8; inside < size; inside += 8)
        refuses(system, p + inside, /not where a kmalloc object starts/);
      for (const crooked of [1, 2, 4, 7]) refuses(system, p + crooked, /aligned to 8/);
    });
  });
});

test("any offset inside a block of pages is a bad-pointer", () => {
  const { system, large } = furnished();
  changesNothing(system.arena.words, () => {
    for (let inside = 8; inside < 5 * 4096; inside += 8) refuses(system, large + inside);
  });
});

test("the unused end of a slab is a bad-pointer", () => {
  const { system, objects } = furnished();
  const page = Math.floor((objects[KMALLOC_SIZES.indexOf(96)] ?? 0) / 4096) * 4096;
  changesNothing(system.arena.words, () => refuses(system, page + 42 * 96));
});

test("a block of pages that is freed twice is a bad-pointer the second time, on any CPU", () => {
  const { system, large } = furnished();
  const other = attachTo(system);
  other.kmalloc.free(large);
  changesNothing(system.arena.words, () => {
    for (const cpu of [system, other]) refuses(cpu, large, /is not allocated/);
  });
  assertSound(system);
});

test("an object whose slab went back to the page allocator is a bad-pointer", () => {
  const { kmalloc, ...system } = newHeap({ bytes: MIB });
  const out = Array.from({ length: 40 }, () => kmalloc.alloc(4096));
  for (const p of out) kmalloc.free(p);
  const gone = out.filter((p) => !system.pages.isHeld(p / 4096));
  assert.ok(gone.length > 30);
  changesNothing(system.arena.words, () => {
    for (const p of gone) throwsCode("bad-pointer", () => kmalloc.free(p), /is not allocated/);
  });
});

test("of all multiples of 8 in a heap, only the starts of objects and blocks are taken", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 30_000 }), { maxLength: 12 }), (sizes) => {
      const system = newHeap({ bytes: MIB, maxCpus: 1 });
      const live = sizes.map((size) => system.kmalloc.alloc(size)).filter((p) => p !== 0);
      const starts = new Set(live.flatMap((p) => startsBeside(system, p)));
      changesNothing(system.arena.words, () => {
        for (let p = 4096; p < MIB; p += 8) if (!starts.has(p)) refusesQuickly(system, p);
      });
      for (const p of live) system.kmalloc.free(p);
      assertSound(system);
    }),
    { numRuns: 3 },
  );
});

/** The starts of all objects of the slab in which p lies: a second kfree of those is not detected. */
function startsBeside({ pages, kmalloc }: Booted, p: number): number[] {
  const page = slabPageAt(pages, p >>> 2);
  if (page === 0) return [p];
  const size =
    KMALLOC_SIZES.find((_, i) => kmalloc.sets.kmalloc.cacheAt(i) === slabCacheOf(pages, page)) ?? 0;
  const objects = Math.floor(((pages.use(page) >>> USE_COUNT_SHIFT) * 4096) / size);
  return Array.from({ length: objects }, (_, i) => page * 4096 + i * size);
}

/** As `refuses`, a hundred thousand times. */
function refusesQuickly({ kmalloc }: Booted, p: number): void {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  let code = "none";
  try {
    kmalloc.free(p);
  } catch (error) {
    code = (error as SharedHeapError).code;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  if (code !== "bad-pointer") assert.fail(`kfree(${p}): ${code}`);
}
