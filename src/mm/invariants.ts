/**
 * What must hold of pages and slabs while no call is under way anywhere.
 *
 *     free pages + held pages == pages behind the tables
 *     a page is free  <=>  its descriptor says so, or it is inside a large block
 *     per slab: in use + length of shared list == objects; not frozen => full; its later pages say where it begins
 *     per CPU: the private list of a current slab holds objects of that slab, each once
 *     per cache: each frozen slab is current on one CPU, or listed, or empty and waiting for readers, exactly once
 *
 * Every walk is bounded by what the structure may hold, so a damaged heap is reported and not
 * walked for ever.
 */
import { peek } from "#primitive";
import type { Report } from "../arena/index.ts";
import { PAGE_WORDS } from "../arena/layout.ts";
import type { PercpuAreas } from "../cpu/index.ts";
import type { Callbacks } from "../rcu/index.ts";
import {
  CACHE_FLAGS,
  CACHE_LINK,
  CACHE_OBJECTS,
  CACHE_PAGES,
  CACHE_PARTIAL,
  CACHE_PERCPU,
  CACHE_SLABS,
  CACHE_SWEEP,
  CACHE_UNIT_WORDS,
  DESC_NEXT,
  DESC_STATE,
  FLAG_PERCPU,
  KIND_SLAB,
  MAX_OBJECTS,
  MAX_SLAB_PAGES,
  PERCPU_STRIDE_WORDS,
  SLAB_CPU_FREE_LIST,
  SLAB_CPU_PAGE,
  SLAB_CPU_WORDS,
  USE_COUNT_SHIFT,
  USE_KIND_MASK,
  USE_LARGE,
  USE_SLAB,
  USE_SLAB_TAIL,
} from "./layout.ts";
import type { Pages } from "./pages.ts";
import { slabCacheOf } from "./slab-lookup.ts";
import { firstOf, inUseOf, isFrozen } from "./slab-state.ts";

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

/** The page whose slab a link names, or -1: it is no slab's link. */
function pageOfLink(pages: Pages, link: number): number {
  const page = pages.pageOf(link - DESC_NEXT);
  return page < pages.total && pages.descriptor(page) + DESC_NEXT === link ? page : -1;
}

/** Who has a slab. */
type Holders = Map<number, string>;

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
  const holders: Holders = new Map();
  let used = 0;
  collectCurrent(pages, areas, cache, holders, report);
  collectListed(pages, cache, slabs.length, holders, report);
  for (const page of slabs) {
    if (waiting.has(page)) addHolder(holders, page, "a grace period", report);
    const count = pages.use(page) >>> USE_COUNT_SHIFT;
    if (count === peek(pages.words, cache + CACHE_PAGES)) {
      used += checkSlab(pages, cache, page, holders.has(page), report);
      checkTails(pages, page, count, report);
    } else report(`slab: page ${page} begins a slab of another length than its cache's`);
  }
  const known = new Set(slabs);
  for (const [page, holder] of holders) {
    if (!known.has(page)) report(`slab: ${holder} has page ${page}, which is no slab of that cache`);
  }
  const counted = peek(pages.words, cache + CACHE_SLABS);
  if (counted !== slabs.length)
    report(`slab: cache at ${cache} counts ${counted} slabs, has ${slabs.length}`);
  for (let cpu = 0; cpu < areas.maxCpus; cpu++) used -= checkPrivateList(pages, areas, cache, cpu, report);
  return used;
}

/** True if the sizes in the cache's words can be trusted by the walks below. */
function shapeIsSound(pages: Pages, areas: PercpuAreas, cache: number): boolean {
  const load = (field: number): number => peek(pages.words, cache + field);
  const unit = load(CACHE_UNIT_WORDS);
  const objects = load(CACHE_OBJECTS);
  const slabPages = load(CACHE_PAGES);
  const isPercpu = (load(CACHE_FLAGS) & FLAG_PERCPU) !== 0;
  const maxPages = isPercpu ? (areas.maxCpus * PERCPU_STRIDE_WORDS) / PAGE_WORDS : MAX_SLAB_PAGES;
  return (
    unit >= 2 &&
    objects >= 1 &&
    objects <= MAX_OBJECTS &&
    slabPages >= 1 &&
    slabPages <= maxPages &&
    unit * objects <= slabPages * PAGE_WORDS &&
    load(CACHE_LINK) >= 0 &&
    load(CACHE_LINK) < unit &&
    load(CACHE_PERCPU) >= 0 &&
    load(CACHE_PERCPU) + SLAB_CPU_WORDS <= areas.areaWords
  );
}

function collectCurrent(
  pages: Pages,
  areas: PercpuAreas,
  cache: number,
  holders: Holders,
  report: Report,
): void {
  for (let cpu = 0; cpu < areas.maxCpus; cpu++) {
    const page = peek(pages.words, localOf(pages, areas, cache, cpu) + SLAB_CPU_PAGE);
    if (page !== 0) addHolder(holders, page, `CPU ${cpu}`, report);
  }
}

function collectListed(pages: Pages, cache: number, slabs: number, holders: Holders, report: Report): void {
  for (const list of [CACHE_PARTIAL, CACHE_SWEEP]) {
    let link = peek(pages.words, cache + list);
    for (let steps = 0; link !== 0; steps++) {
      const page = pageOfLink(pages, link);
      if (steps > slabs || page < 0) {
        report(`slab: a list of cache ${cache} is damaged`);
        return;
      }
      addHolder(holders, page, "a list", report);
      link = peek(pages.words, link);
    }
  }
}

function addHolder(holders: Holders, page: number, holder: string, report: Report): void {
  if (holders.has(page)) report(`slab: page ${page} is held by ${holders.get(page)} and by ${holder}`);
  holders.set(page, holder);
}

/** Returns the slab's objects in use, private lists included. */
function checkSlab(pages: Pages, cache: number, page: number, held: boolean, report: Report): number {
  const state = peek(pages.words, pages.descriptor(page) + DESC_STATE);
  const objects = peek(pages.words, cache + CACHE_OBJECTS);
  const unit = peek(pages.words, cache + CACHE_UNIT_WORDS);
  const first = firstOf(state) === 0 ? 0 : pages.address(page) + (firstOf(state) - 1) * unit;
  const free = countList(pages, cache, page, first, report);
  if (free + inUseOf(state) !== objects) {
    report(`slab: page ${page}: ${free} on the shared list + ${inUseOf(state)} in use != ${objects} objects`);
  }
  if (isFrozen(state) !== held)
    report(`slab: page ${page} is ${held ? "held, but not frozen" : "frozen, but nobody has it"}`);
  if (!isFrozen(state) && free > 0) report(`slab: page ${page} has free objects and is on no list`);
  return inUseOf(state);
}

/** The later pages of a slab say where it begins. */
function checkTails(pages: Pages, page: number, count: number, report: Report): void {
  for (let i = 1; i < count; i++) {
    if (pages.use(page + i) !== (USE_SLAB_TAIL | (i << USE_COUNT_SHIFT)))
      report(`slab: page ${page + i} does not say that it belongs to the slab that begins at page ${page}`);
  }
}

/** Length of a CPU's private list of the cache. */
function checkPrivateList(
  pages: Pages,
  areas: PercpuAreas,
  cache: number,
  cpu: number,
  report: Report,
): number {
  const local = localOf(pages, areas, cache, cpu);
  const page = peek(pages.words, local + SLAB_CPU_PAGE);
  const first = peek(pages.words, local + SLAB_CPU_FREE_LIST);
  if (first === 0) return 0;
  if (page !== 0) return countList(pages, cache, page, first, report);
  report(`slab: CPU ${cpu} has free objects of no slab`);
  return 0;
}

/** Length of a list of free objects, all of which must lie in the slab, each once. */
function countList(pages: Pages, cache: number, page: number, first: number, report: Report): number {
  const unit = peek(pages.words, cache + CACHE_UNIT_WORDS);
  const objects = peek(pages.words, cache + CACHE_OBJECTS);
  const link = peek(pages.words, cache + CACHE_LINK);
  const seen = new Set<number>();
  for (let object = first; object !== 0; object = peek(pages.words, object + link)) {
    const index = (object - pages.address(page)) / unit;
    if (!Number.isInteger(index) || index < 0 || index >= objects || seen.has(index)) {
      report(`slab: page ${page}: a free list leads to word ${object}`);
      break;
    }
    seen.add(index);
  }
  return seen.size;
}

function localOf(pages: Pages, areas: PercpuAreas, cache: number, cpu: number): number {
  return areas.areaOf(cpu) + peek(pages.words, cache + CACHE_PERCPU);
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
