/** From an offset to the object of the program that it is, or lies in. Any context; any number may be asked for. */
import { peek } from "#primitive";
import { PAGE_BYTES } from "../arena/layout.ts";
import {
  hasHeaders,
  hasOwners,
  isOffset,
  isPercpuCache,
  type Pages,
  slabCacheOf,
  slabPageAt,
} from "../mm/index.ts";
import {
  CACHE_ALIGN_BYTES,
  CACHE_OBJECTS,
  CACHE_SIZE_BYTES,
  CACHE_UNIT_WORDS,
  USE_COUNT_SHIFT,
  USE_KIND_MASK,
  USE_LARGE,
  USE_NONE,
} from "../mm/layout.ts";
import { FRONT_BYTES, PAGE_FRONT_BYTES, STATE_GONE } from "./layout.ts";
import { isRecord, stateOf } from "./record.ts";

/** A slab object, or a block of pages. */
export interface Memory {
  /** Its offset, and that of the first byte behind it that is not an object's. */
  readonly start: number;
  readonly end: number;
  /** Bytes of the heap that it stands for. */
  readonly bytes: number;
  /** The slab cache that it is of; 0: pages. */
  readonly cache: number;
}

/** True if the objects of a slab cache are those of allocators that debug mode covers: not per-CPU, and not owned ones. */
export function isGuarded({ words }: Pages, cache: number): boolean {
  return hasHeaders(words, cache) && !hasOwners(words, cache) && !isPercpuCache(words, cache);
}

/** Where in it the program's part may begin. */
export function frontsOf(pages: Pages, { cache }: Memory): number[] {
  if (cache === 0) return [PAGE_FRONT_BYTES];
  if (isGuarded(pages, cache)) return [FRONT_BYTES];
  if (hasHeaders(pages.words, cache)) return [];
  const align = peek(pages.words, cache + CACHE_ALIGN_BYTES);
  return align === 8 ? [FRONT_BYTES, PAGE_FRONT_BYTES] : [frontOf(align)];
}

/** Bytes in front of an object with that alignment. */
export function frontOf(align: number): number {
  return Math.ceil(FRONT_BYTES / align) * align;
}

/** The memory whose program's part begins at `p`; undefined: none can. */
export function memoryAt(pages: Pages, p: unknown): Memory | undefined {
  if (!isOffset(pages, p)) return undefined;
  const memory = memoryAround(pages, p);
  const isStart = memory !== undefined && frontsOf(pages, memory).includes(p - memory.start);
  return isStart ? memory : undefined;
}

/** The slab object or block in which the offset lies. None: free memory, tables, per-CPU objects, what a slab leaves over. */
export function memoryAround(pages: Pages, p: number): Memory | undefined {
  const page = slabPageAt(pages, p >>> 2);
  if (page === 0) return blockAround(pages, pages.pageAt(p >>> 2));
  const cache = slabCacheOf(pages, page);
  if (isPercpuCache(pages.words, cache)) return undefined;
  const unit = peek(pages.words, cache + CACHE_UNIT_WORDS) * 4;
  const index = Math.floor((p - page * PAGE_BYTES) / unit);
  return index < peek(pages.words, cache + CACHE_OBJECTS) ? slabObject(pages, page, index) : undefined;
}

/** The `index`-th object of the slab that begins at `page`. */
export function slabObject(pages: Pages, page: number, index: number): Memory {
  const cache = slabCacheOf(pages, page);
  const bytes = peek(pages.words, cache + CACHE_UNIT_WORDS) * 4;
  const start = page * PAGE_BYTES + index * bytes;
  // behind that may lie the link of the slab's list
  return { start, end: start + ((peek(pages.words, cache + CACHE_SIZE_BYTES) + 3) & -4), bytes, cache };
}

/** The block of `count` pages from `page` on. */
export function blockOf(page: number, count: number): Memory {
  const start = page * PAGE_BYTES;
  return { start, end: start + count * PAGE_BYTES, bytes: count * PAGE_BYTES, cache: 0 };
}

/** The offset of the object in that memory, live or freed; 0: there is none. */
export function objectIn(pages: Pages, memory: Memory): number {
  let former = 0;
  for (const front of frontsOf(pages, memory)) {
    const p = memory.start + front;
    if (p >= memory.end || !isRecord(pages.words, p)) continue;
    // one that is gone may have begun elsewhere
    if (stateOf(pages.words, p) !== STATE_GONE) return p;
    former ||= p;
  }
  return former;
}

function blockAround(pages: Pages, inside: number): Memory | undefined {
  let page = inside;
  while (page > 0 && pages.use(page) === USE_NONE) page--;
  const use = pages.use(page);
  const count = use >>> USE_COUNT_SHIFT;
  const isInside = (use & USE_KIND_MASK) === USE_LARGE && inside < page + count;
  return isInside ? blockOf(page, count) : undefined;
}
