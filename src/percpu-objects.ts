/**
 * `heap.percpu.objects`: per-CPU objects of any small size, from one fixed-size cache for each size, which is made when that
 * is first asked for. All threads share them. (The kernel's global per-CPU allocator.)
 */
import { peek } from "#primitive";
import { SharedHeapError, shown } from "./arena/index.ts";
import type { Booted } from "./boot.ts";
import type { MemCache } from "./memalloc/index.ts";
import { HEADER_BYTES } from "./memalloc/layout.ts";
import { checkSize, isOffset, isPercpuCache, slabCacheOf, slabPageAt } from "./mm/index.ts";
import { CACHE_UNIT_WORDS } from "./mm/layout.ts";

/** Payloads of the caches, on each CPU. */
const SIZES = [8, 16, 32, 64, 128, 256, 512];

function nameFor(size: number): string {
  return `percpu ${size}`;
}

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
    const there = this.openCacheOf(size);
    if (there !== undefined) return there;
    const cache = this.open(nameFor(size), size);
    this.caches.set(size, cache);
    return cache;
  }

  private openCacheOf(size: number): MemCache | undefined {
    const there = this.caches.get(size);
    return there?.isOpen === true ? there : undefined;
  }

  /** The cache of the object at `p`, which that checks. One that is not open here is opened only for what is its object. */
  private cacheAt(p: number): MemCache {
    const { allocators, kmalloc } = this.live();
    const { pages } = kmalloc.slab;
    const page = isOffset(pages, p) ? slabPageAt(pages, (p - HEADER_BYTES) >>> 2) : 0;
    const slab = page === 0 ? 0 : slabCacheOf(pages, page);
    const isPercpu = slab !== 0 && isPercpuCache(pages.words, slab);
    const unit = isPercpu ? peek(pages.words, slab + CACHE_UNIT_WORDS) * 4 : 0;
    // each size has slabs of a unit of its own: the power of two that holds it and the header
    const size = SIZES.find((each) => each + HEADER_BYTES > unit / 2 && each + HEADER_BYTES <= unit);
    if (size !== undefined) {
      if (this.openCacheOf(size) === undefined) allocators.checkLive(nameFor(size), p);
      return this.cacheOf(size);
    }
    throw new SharedHeapError("bad-pointer", `free(${shown(p)}): no per-CPU object starts there`);
  }
}
