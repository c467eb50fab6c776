/** From an address to the slab it lies in. Any context; any number may be asked for. */
import { readPrivate, type Words } from "#primitive";
import { PAGE_BYTES, PAGE_SHIFT, PAGE_WORDS } from "../arena/layout.ts";
import {
  CACHE_FLAGS,
  CACHE_OBJECTS,
  CACHE_PAGES,
  CACHE_UNIT_WORDS,
  DESC_CACHE,
  DESC_USE,
  FLAG_HEADERS,
  FLAG_PERCPU,
  FLAG_TYPESAFE_BY_RCU,
  PERCPU_STRIDE_WORDS,
  USE_COUNT_SHIFT,
  USE_KIND_MASK,
  USE_SLAB,
  USE_SLAB_TAIL,
} from "./layout.ts";
import type { Pages } from "./pages.ts";

/** The first page of the slab in which the word lies, or 0. Whatever others do meanwhile. */
export function slabPageAt(pages: Pages, word: number): number {
  const page = pages.pageAt(word);
  const first = firstPage(page, pages.use(page));
  return first === page || (first > 0 && isSlab(pages.use(first))) ? first : 0;
}

/**
 * The same for whoever has the object that begins there, and is about to free it: until then nobody changes what its pages
 * are used for, and what they say came with the object, so plain reads do. To a wrong caller, who has none, it may say
 * what was there before; a slab that is being made at that moment may be found with the cache that its pages had last.
 */
export function slabPageOfOwn(pages: Pages, word: number): number {
  const page = pages.pageAt(word);
  const first = firstPage(page, readPrivate(pages.words, pages.descriptor(page) + DESC_USE));
  const isFirst = first === page;
  return isFirst || (first > 0 && isSlab(readPrivate(pages.words, pages.descriptor(first) + DESC_USE)))
    ? first
    : 0;
}

/** The first page of a slab one of whose pages says `use`; 0 or less: it is in none. */
function firstPage(page: number, use: number): number {
  const kind = use & USE_KIND_MASK;
  if (kind === USE_SLAB) return page;
  return kind === USE_SLAB_TAIL ? page - (use >>> USE_COUNT_SHIFT) : 0;
}

function isSlab(use: number): boolean {
  return (use & USE_KIND_MASK) === USE_SLAB;
}

/** The cache of the slab that begins at `page`. */
export function slabCacheOf(pages: Pages, page: number): number {
  return readPrivate(pages.words, pages.descriptor(page) + DESC_CACHE);
}

/** True if the objects of a slab cache have a slot on each possible CPU. */
export function isPercpuCache(words: Words, cache: number): boolean {
  return (readPrivate(words, cache + CACHE_FLAGS) & FLAG_PERCPU) !== 0;
}

/** True if the objects of a slab cache have an allocator's headers. */
export function hasHeaders(words: Words, cache: number): boolean {
  return (readPrivate(words, cache + CACHE_FLAGS) & FLAG_HEADERS) !== 0;
}

/** True if the objects of a slab cache name who allocated them: others look at them at any time. */
export function hasOwners(words: Words, cache: number): boolean {
  const flags = FLAG_HEADERS | FLAG_TYPESAFE_BY_RCU;
  return (readPrivate(words, cache + CACHE_FLAGS) & flags) === flags;
}

/** True if an object of the slab that begins at `page` starts at that word. */
export function isObjectStart(pages: Pages, page: number, word: number): boolean {
  const cache = slabCacheOf(pages, page);
  const unit = readPrivate(pages.words, cache + CACHE_UNIT_WORDS);
  const offset = word - pages.address(page);
  const index = (offset / unit) | 0;
  // a damaged cache may say that its unit is 0
  return unit > 0 && index * unit === offset && index < readPrivate(pages.words, cache + CACHE_OBJECTS);
}

/** True if `p` can be the offset of an object at all: an integer in the heap, behind the header, aligned. */
export function isOffset(pages: Pages, p: unknown): p is number {
  return (
    typeof p === "number" &&
    p >>> 0 === p &&
    (p & 7) === 0 &&
    p >= PAGE_BYTES &&
    p >>> PAGE_SHIFT < pages.total
  );
}

/** Bytes of memory that stand behind an object of the cache: its unit, on each possible CPU if it is a per-CPU one. */
export function heldBytes(words: Words, cache: number): number {
  const unitBytes = readPrivate(words, cache + CACHE_UNIT_WORDS) * 4;
  return unitBytes * slotsOf(words, cache);
}

/** On how many CPUs an object of the cache has a slot. */
export function slotsOf(words: Words, cache: number): number {
  if (!isPercpuCache(words, cache)) return 1;
  return (readPrivate(words, cache + CACHE_PAGES) * PAGE_WORDS) / PERCPU_STRIDE_WORDS;
}
