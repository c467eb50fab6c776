/** Where a heap can be hurt, and with what: the words of its structures, and numbers that look right in them. */

import { PAGE_WORDS, RECORD_WORDS } from "#src/arena/layout.js";
import type { Booted } from "#src/boot.js";
import { slabCaches } from "#src/inspect/system.js";
import { forEachBlock, slabCacheOf } from "#src/mm/index.js";
import { CACHE_OBJECTS, CACHE_UNIT_WORDS, DESC_NEXT, DESC_WORDS, USE_SLAB } from "#src/mm/layout.js";
import type { Random } from "./kinds.ts";

/** Words of a slab cache, of a header, of the heap's header. */
const CACHE_WORDS = 32;
const OBJECT_WORDS = 2;
const HEADER_WORDS = 16;

export interface Places {
  /** A word of the heap. */
  word(random: Random): number;
  /** The address of something. */
  address(random: Random): number;
}

/** `whole`: the heap's words, which are sound. */
export function placesOf(system: Booted, whole: Int32Array): Places {
  const objects = objectsOf(system);
  const tables = system.firstPage * PAGE_WORDS;
  const records = recordsOf(system);
  const caches = slabCaches(system).map(({ cache }) => cache);
  const used = Array.from({ length: tables }, (_, at) => at).filter((at) => whole[at] !== 0);
  const values = used.map((at) => whole[at]).filter((value) => value > 0 && value < whole.length);
  const links = Array.from(
    { length: system.pages.total },
    (_, page) => system.pages.descriptor(page) + DESC_NEXT,
  );
  const descriptors = system.pages.descriptor(0);
  const among: ((random: Random) => number)[] = [
    (random) => random(whole.length),
    (random) => random(tables),
    (random) => random(HEADER_WORDS),
    (random) => used[random(used.length)],
    (random) => used[random(used.length)],
    (random) => pick(objects, random) + random(OBJECT_WORDS),
    (random) => descriptors + random(system.pages.total * DESC_WORDS),
    (random) => pick(caches, random) + random(CACHE_WORDS),
    (random) => pick(records, random) + random(RECORD_WORDS),
    (random) => values[random(values.length)],
  ];
  const addresses = [objects, objects.map((node) => node + 1), values, links, caches, records, used];
  return {
    word: (random) => among[random(among.length)](random),
    address: (random) => pick(addresses[random(addresses.length)], random),
  };
}

function pick(list: readonly number[], random: Random): number {
  return list.length === 0 ? 0 : list[random(list.length)];
}

/** The first word of every object of every slab, in use or not. */
function objectsOf({ pages, firstPage, arena }: Booted): number[] {
  const objects: number[] = [];
  forEachBlock(pages, firstPage, (page, kind) => {
    if (kind !== USE_SLAB) return;
    const cache = slabCacheOf(pages, page);
    const unit = arena.words[cache + CACHE_UNIT_WORDS];
    for (let i = 0; i < arena.words[cache + CACHE_OBJECTS]; i++) objects.push(pages.address(page) + i * unit);
  });
  return objects;
}

function recordsOf({ directory }: Booted): number[] {
  return Array.from({ length: directory.count }, (_, i) => directory.at(i));
}
