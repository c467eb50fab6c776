/**
 * Walks over the lists of a slab cache that trust nothing: each step is checked, what is wrong is reported, and no walk
 * is longer than what the structure may hold. For those who inspect, or mend, a heap while no call is under way.
 */
import { peek } from "#primitive";
import type { Report } from "../arena/index.ts";
import { PAGE_WORDS } from "../arena/layout.ts";
import type { PercpuAreas } from "../cpu/index.ts";
import {
  CACHE_FLAGS,
  CACHE_LINK,
  CACHE_OBJECTS,
  CACHE_PAGES,
  CACHE_PARTIAL,
  CACHE_PERCPU,
  CACHE_SWEEP,
  CACHE_UNIT_WORDS,
  DESC_NEXT,
  DESC_STATE,
  FLAG_PERCPU,
  MAX_OBJECTS,
  MAX_SLAB_PAGES,
  PERCPU_STRIDE_WORDS,
  SLAB_CPU_FREE_LIST,
  SLAB_CPU_PAGE,
  SLAB_CPU_WORDS,
  USE_COUNT_SHIFT,
} from "./layout.ts";
import type { Pages } from "./pages.ts";
import { firstOf } from "./slab-state.ts";

/** Who has a slab, by its first page. */
export type Holders = ReadonlyMap<number, string>;

/** True if the sizes in the cache's words can be trusted by the walks below. */
export function shapeIsSound(pages: Pages, areas: PercpuAreas, cache: number): boolean {
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

/**
 * Who has each frozen slab of the cache: a CPU, a list, or a grace period (`waiting`). Reports slabs that two have, and
 * holders of what is none of `slabs`, those of the cache.
 */
export function holdersOf(
  pages: Pages,
  areas: PercpuAreas,
  cache: number,
  slabs: readonly number[],
  waiting: ReadonlySet<number>,
  report: Report,
): Holders {
  const holders = new Map<number, string>();
  const add = (page: number, holder: string): void => {
    if (holders.has(page)) report(`slab: page ${page} is held by ${holders.get(page)} and by ${holder}`);
    holders.set(page, holder);
  };
  for (let cpu = 0; cpu < areas.maxCpus; cpu++) {
    const page = peek(pages.words, slabCpuOf(pages, areas, cache, cpu) + SLAB_CPU_PAGE);
    if (page !== 0) add(page, `CPU ${cpu}`);
  }
  forEachListed(pages, cache, slabs.length, (page) => add(page, "a list"), report);
  for (const page of slabs) if (waiting.has(page)) add(page, "a grace period");
  const known = new Set(slabs);
  for (const [page, holder] of holders) {
    if (!known.has(page)) report(`slab: ${holder} has page ${page}, which is no slab of that cache`);
  }
  return holders;
}

/** The page whose slab a link names, or -1: it is no slab's link. */
export function pageOfLink(pages: Pages, link: number): number {
  const page = pages.pageOf(link - DESC_NEXT);
  return page < pages.total && pages.descriptor(page) + DESC_NEXT === link ? page : -1;
}

/** The slabs on PARTIAL and SWEEP; each list has `slabs` at most. */
function forEachListed(
  pages: Pages,
  cache: number,
  slabs: number,
  visit: (page: number) => void,
  report: Report,
): void {
  for (const list of [CACHE_PARTIAL, CACHE_SWEEP]) {
    let link = peek(pages.words, cache + list);
    for (let steps = 0; link !== 0; steps++) {
      const page = pageOfLink(pages, link);
      if (steps > slabs || page < 0) {
        report(`slab: a list of cache ${cache} is damaged`);
        return;
      }
      visit(page);
      link = peek(pages.words, link);
    }
  }
}

/** True if a slab's descriptor says as many pages as its cache. */
export function lengthIsRight(pages: Pages, cache: number, page: number): boolean {
  return pages.use(page) >>> USE_COUNT_SHIFT === peek(pages.words, cache + CACHE_PAGES);
}

/** The objects on a slab's shared list. */
export function sharedObjects(pages: Pages, cache: number, page: number, report: Report): Set<number> {
  const state = peek(pages.words, pages.descriptor(page) + DESC_STATE);
  const unit = peek(pages.words, cache + CACHE_UNIT_WORDS);
  const first = firstOf(state) === 0 ? 0 : pages.address(page) + (firstOf(state) - 1) * unit;
  return listedObjects(pages, cache, page, first, report);
}

/** The objects on a CPU's private list of the cache. */
export function privateObjects(
  pages: Pages,
  areas: PercpuAreas,
  cache: number,
  cpu: number,
  report: Report,
): Set<number> {
  const local = slabCpuOf(pages, areas, cache, cpu);
  const page = peek(pages.words, local + SLAB_CPU_PAGE);
  const first = peek(pages.words, local + SLAB_CPU_FREE_LIST);
  if (first === 0) return new Set();
  if (page !== 0) return listedObjects(pages, cache, page, first, report);
  report(`slab: CPU ${cpu} has free objects of no slab`);
  return new Set();
}

/** A list of free objects, all of which must lie in the slab, each once. */
function listedObjects(
  pages: Pages,
  cache: number,
  page: number,
  first: number,
  report: Report,
): Set<number> {
  const unit = peek(pages.words, cache + CACHE_UNIT_WORDS);
  const objects = peek(pages.words, cache + CACHE_OBJECTS);
  const link = peek(pages.words, cache + CACHE_LINK);
  const seen = new Set<number>();
  for (let object = first; object !== 0; object = peek(pages.words, object + link)) {
    const index = (object - pages.address(page)) / unit;
    if (!Number.isInteger(index) || index < 0 || index >= objects || seen.has(object)) {
      report(`slab: page ${page}: a free list leads to word ${object}`);
      break;
    }
    seen.add(object);
  }
  return seen;
}

/** A CPU's words for the cache. */
function slabCpuOf(pages: Pages, areas: PercpuAreas, cache: number, cpu: number): number {
  return areas.areaOf(cpu) + peek(pages.words, cache + CACHE_PERCPU);
}
