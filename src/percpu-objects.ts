/**
 * `heap.percpu.objects`: per-CPU objects of any small size, from one fixed-size cache for each size, which is made when that
 * is first asked for. All threads share them. (The kernel's global per-CPU allocator.)
 */
import { peek } from "#primitive";
import { SharedHeapError } from "./arena/index.ts";
import type { Booted } from "./boot.ts";
import type { MemCache } from "./memalloc/index.ts";
import { HEADER_BYTES } from "./memalloc/layout.ts";
import { checkSize, isOffset, isPercpuCache, slabCacheOf, slabPageAt } from "./mm/index.ts";
import { CACHE_UNIT_WORDS } from "./mm/layout.ts";

/** Payloads of the caches, on each CPU. */
const SIZES = [8, 16, 32, 64, 128, 256, 512];

export class PercpuObjects {
  private readonly live: () => Booted;
  private readonly open: (name: string, size: number) => MemCache;
  private readonly caches = new Map<number, MemCache>();

  constructor(live: () => Booted, open: (name: string, size: number) => MemCache) {
    this.live = live;
    this.open = open;
  }

  /**
   * An object with a slot of at least `bytes` bytes, 1 to 512, on each possible CPU: an offset for `thisCpuPtr` and
   * `perCpuPtr`. 0: out of memory, or above 512; in nested contexts also that the stock is used up. The slots are zero when
   * the object is new, and what they last held when it was used before. The first call for a size opens its cache.
   * Any context. Errors: `bad-size`, `limit` (first call), `detached`.
   */
  alloc(bytes: number): number {
    this.live();
    checkSize(bytes);
    const size = SIZES.find((each) => each >= bytes);
    return size === undefined ? 0 : this.cacheOf(size).alloc();
  }

  /** Frees an object of `alloc`, on any thread. 0 is ignored. Any context. Errors: those of a MemCache. */
  free(p: number): void {
    if (p !== 0) this.cacheAt(p).free(p);
  }

  /** The same, when no reader can see it any more. */
  freeRcu(p: number): void {
    if (p !== 0) this.cacheAt(p).freeRcu(p);
  }

  private cacheOf(size: number): MemCache {
    const there = this.caches.get(size);
    if (there?.isOpen === true) return there;
    const cache = this.open(`percpu ${size}`, size);
    this.caches.set(size, cache);
    return cache;
  }

  /** The cache of the object at `p`, which that checks. */
  private cacheAt(p: number): MemCache {
    const { pages } = this.live().kmalloc.slab;
    const page = isOffset(pages, p) ? slabPageAt(pages, (p - HEADER_BYTES) >>> 2) : 0;
    const slab = page === 0 ? 0 : slabCacheOf(pages, page);
    const isPercpu = slab !== 0 && isPercpuCache(pages.words, slab);
    const unit = isPercpu ? peek(pages.words, slab + CACHE_UNIT_WORDS) * 4 : 0;
    // each size has slabs of a unit of its own: the power of two that holds it and the header
    const size = SIZES.find((each) => each + HEADER_BYTES > unit / 2 && each + HEADER_BYTES <= unit);
    if (size !== undefined) return this.cacheOf(size);
    throw new SharedHeapError("bad-pointer", `free(${String(p)}): no per-CPU object starts there`);
  }
}
