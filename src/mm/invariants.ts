/**
 * What must hold of pages and slabs while no call is under way anywhere.
 *
 *     free pages + held pages == pages behind the tables
 *     a page is free  <=>  its descriptor says so, or it is inside a large block
 *     per slab: in use + length of shared list == objects; not frozen => full
 *     per CPU: the private list of a current slab holds objects of that slab, each once
 *     per cache: each frozen slab is current on one CPU, or listed, or empty and waiting for readers, exactly once
 *
 * Every walk is bounded by what the structure may hold, so a damaged heap is reported and not
 * walked for ever.
 */
import { peek } from "#primitive";
import type { Report } from "../arena/index.ts";
import type { PercpuAreas } from "../cpu/index.ts";
import type { Callbacks } from "../rcu/index.ts";
import {
  CACHE_OBJECTS,
  CACHE_SLABS,
  DESC_STATE,
  KIND_SLAB,
  USE_COUNT_SHIFT,
  USE_KIND_MASK,
  USE_LARGE,
  USE_SLAB,
  USE_SLAB_TAIL,
} from "./layout.ts";
import type { Pages } from "./pages.ts";
import {
  holdersOf,
  lengthIsRight,
  pageOfLink,
  privateObjects,
  shapeIsSound,
  sharedObjects,
} from "./slab-lists.ts";
import { slabCacheOf } from "./slab-lookup.ts";
import { inUseOf, isFrozen } from "./slab-state.ts";

/** Calls `visit` for the first page of each block in use, from page `first` on. */
export function forEachBlock(
  pages: Pages,
  first: number,
  visit: (page: number, kind: number, count: number) => void,
): void {
  for (let page = first; page < pages.total; ) {
    const use = pages.use(page);
    const kind = use & USE_KIND_MASK;
    const count = use >>> USE_COUNT_SHIFT;
    const isBlock = (kind === USE_SLAB || kind === USE_LARGE) && count > 0 && page + count <= pages.total;
    if (isBlock) visit(page, kind, count);
    page += isBlock ? count : 1;
  }
}

/** The page allocator's books. `first`: the first page behind the tables. */
export function checkPages(pages: Pages, first: number, report: Report): void {
  const managed = pages.total - first;
  const free = pages.countFree();
  if (free + pages.held !== managed) report(`pages: ${free} free + ${pages.held} held != ${managed}`);
  if (pages.countUnmerged() !== 0)
    report(`pages: ${pages.countUnmerged()} full words were not moved up a level`);
  let inBlocks = 0;
  forEachBlock(pages, first, (page, _kind, count) => {
    inBlocks += count;
    for (let i = 0; i < count; i++) {
      if (!pages.isHeld(page + i)) report(`pages: page ${page + i} is free and in use at once`);
    }
  });
  if (inBlocks !== pages.held) report(`pages: blocks in use have ${inBlocks} pages, ${pages.held} are held`);
}

/** The slabs that wait until no reader can look at their objects any more. */
export function slabsInQueues(pages: Pages, callbacks: Callbacks, report: Report): Set<number> {
  const waiting = new Set<number>();
  callbacks.forEachItem(KIND_SLAB, (link) => {
    const page = pageOfLink(pages, link);
    const isSound = page >= 0 && !waiting.has(page);
    if (isSound) waiting.add(page);
    else report(`slab: a queue of callbacks leads to word ${link}, where no slab is, or one twice`);
    return isSound;
  });
  return waiting;
}

/** One slab cache and all of its slabs; `waiting`: as slabsInQueues. Returns how many objects are not free. */
export function checkCache(
  pages: Pages,
  areas: PercpuAreas,
  cache: number,
  slabs: readonly number[],
  waiting: ReadonlySet<number>,
  report: Report,
): number {
  if (!shapeIsSound(pages, areas, cache)) {
    report(`slab: cache at ${cache}: its sizes are damaged`);
    return 0;
  }
  const holders = holdersOf(pages, areas, cache, slabs, waiting, report);
  let used = 0;
  for (const page of slabs) {
    used += checkSlab(pages, cache, page, holders.has(page), report);
    checkTails(pages, page, pages.use(page) >>> USE_COUNT_SHIFT, report);
  }
  const counted = peek(pages.words, cache + CACHE_SLABS);
  if (counted !== slabs.length)
    report(`slab: cache at ${cache} counts ${counted} slabs, has ${slabs.length}`);
  for (let cpu = 0; cpu < areas.maxCpus; cpu++) used -= privateObjects(pages, areas, cache, cpu, report).size;
  return used;
}

/** Returns the slab's objects in use, private lists included. */
function checkSlab(pages: Pages, cache: number, page: number, held: boolean, report: Report): number {
  if (!checkObjects(pages, cache, page, report)) return 0;
  const state = peek(pages.words, pages.descriptor(page) + DESC_STATE);
  if (isFrozen(state) !== held)
    report(`slab: page ${page} is ${held ? "held, but not frozen" : "frozen, but nobody has it"}`);
  return inUseOf(state);
}

/** The later pages of a slab say where it begins. */
function checkTails(pages: Pages, page: number, count: number, report: Report): void {
  for (let i = 1; i < count; i++) {
    if (pages.use(page + i) !== (USE_SLAB_TAIL | (i << USE_COUNT_SHIFT)))
      report(`slab: page ${page + i} does not say that it belongs to the slab that begins at page ${page}`);
  }
}

/** What holds of a slab's objects at every step. False: they cannot be told from each other. */
export function checkObjects(pages: Pages, cache: number, page: number, report: Report): boolean {
  if (!lengthIsRight(pages, cache, page)) {
    report(`slab: page ${page} begins a slab of another length than its cache's`);
    return false;
  }
  const state = peek(pages.words, pages.descriptor(page) + DESC_STATE);
  const objects = peek(pages.words, cache + CACHE_OBJECTS);
  const free = sharedObjects(pages, cache, page, report).size;
  if (free + inUseOf(state) !== objects) {
    report(`slab: page ${page}: ${free} on the shared list + ${inUseOf(state)} in use != ${objects} objects`);
  }
  if (!isFrozen(state) && free > 0) report(`slab: page ${page} has free objects and is on no list`);
  return true;
}

/** The slabs of each cache, by the cache's address; reports blocks that say they belong to no known cache. */
export function slabsByCache(
  pages: Pages,
  first: number,
  caches: readonly number[],
  report: Report,
): Map<number, number[]> {
  const slabs = new Map<number, number[]>(caches.map((cache) => [cache, []]));
  forEachBlock(pages, first, (page, kind) => {
    if (kind !== USE_SLAB) return;
    const list = slabs.get(slabCacheOf(pages, page));
    if (list === undefined)
      report(`slab: page ${page} says it belongs to cache ${slabCacheOf(pages, page)}, which is none`);
    else list.push(page);
  });
  return slabs;
}
