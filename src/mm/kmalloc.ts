/**
 * kmalloc: memory of any size. Up to 8,192 bytes from one of 13 slab caches, above in whole pages.
 * Objects have no header; kfree finds the cache from the page descriptor.
 *
 * Progress and contexts: those of slab and pages. A call nested in another one in the same slab
 * cache gets NULL.
 */
import { loadAcquire, readPrivate, type Words, zeroPrivate } from "#primitive";
import { type Directory, SharedHeapError, shown } from "../arena/index.ts";
import { KIND_KMEM_CACHE, PAGE_BYTES, RECORD_DATA, ZERO_SIZE_PTR } from "../arena/layout.ts";
import { checkFlags, checkSize } from "./arguments.ts";
import { type CacheSets, KMALLOC_SIZES } from "./cache-sets.ts";
import {
  CACHE_SLABS,
  CACHE_UNIT_WORDS,
  GFP_ACCOUNT,
  GFP_ZERO,
  KMALLOC_MAX_SLAB_BYTES,
  MAX_BLOCK_PAGES,
  SHRINK_SLABS,
  SWEEP_PIECE,
  USE_COUNT_SHIFT,
  USE_KIND_MASK,
  USE_LARGE,
} from "./layout.ts";
import type { Percpu } from "./percpu.ts";
import type { Slab } from "./slab.ts";
import {
  hasHeaders,
  isObjectStart,
  isOffset,
  isPercpuCache,
  slabCacheOf,
  slabPageOfOwn,
} from "./slab-lookup.ts";

/** The bytes that kmalloc holds for a request of `bytes` (the kernel's `kmalloc_size_roundup`). */
export function kmallocSizeRoundup(bytes: number): number {
  if (bytes === 0) return 0;
  if (bytes <= KMALLOC_MAX_SLAB_BYTES) return KMALLOC_SIZES.find((size) => size >= bytes) ?? 0;
  return Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
}

export class Kmalloc {
  readonly slab: Slab;
  readonly sets: CacheSets;
  readonly percpu: Percpu;
  private readonly words: Words;
  private readonly directory: Directory;

  constructor(slab: Slab, sets: CacheSets, percpu: Percpu, directory: Directory) {
    this.percpu = percpu;
    this.slab = slab;
    this.words = slab.words;
    this.sets = sets;
    this.directory = directory;
  }

  /** The cache that serves objects of `bytes`, 1 to 8192. */
  cacheFor(bytes: number): number {
    return this.sets.kmalloc.cacheFor(bytes);
  }

  /**
   * `bytes` bytes, at least; the offset of the first, a multiple of 8 (of 4096 for sizes above
   * 2048). 0: out of memory, more than 128 MiB, or nested in another kmalloc in the same slab cache.
   * kmalloc(0) is ZERO_SIZE_PTR. The contents are arbitrary, unless `flags` has GFP_ZERO.
   * Any context. Errors: `bad-size`, `bad-option` (flags).
   */
  alloc(bytes: number, flags = 0): number {
    checkSize(bytes);
    checkFlags(flags, GFP_ZERO, "GFP_ZERO");
    if (bytes === 0) return ZERO_SIZE_PTR;
    if (bytes > KMALLOC_MAX_SLAB_BYTES) return this.allocLarge(bytes, flags);
    const object = this.slab.alloc(this.cacheFor(bytes)) || this.allocShrunk(bytes);
    if (object !== 0 && (flags & GFP_ZERO) !== 0) zeroPrivate(this.words, object, (bytes + 3) >>> 2);
    return (object << 2) >>> 0;
  }

  /**
   * Frees what alloc returned; 0 and ZERO_SIZE_PTR are ignored. Any context; never fails for want of
   * memory. Errors: `bad-pointer`. A second kfree of a slab object is not detected. `minBytes`: refuses
   * objects of smaller slabs.
   */
  free(p: number, minBytes = 0): void {
    if (p === 0 || p === ZERO_SIZE_PTR) return;
    const { pages } = this.slab;
    if (!isOffset(pages, p)) throw badPointer(p, "is not an offset of this heap, aligned to 8");
    const word = p >>> 2;
    const page = slabPageOfOwn(pages, word);
    if (page === 0) {
      this.freeLarge(p);
      return;
    }
    const cache = slabCacheOf(pages, page);
    const tooSmall = readPrivate(this.words, cache + CACHE_UNIT_WORDS) * 4 < minBytes;
    const isOther = isPercpuCache(this.words, cache) || hasHeaders(this.words, cache);
    if (tooSmall || isOther || !isObjectStart(pages, page, word)) {
      throw badPointer(
        p,
        "is not where a kmalloc object starts; was it allocated by an allocator with its own free?",
      );
    }
    this.slab.free(cache, page, word);
  }

  /**
   * kmalloc for any context, whatever it interrupted: nothing inside it calls back, tries again, or looks for memory
   * that others might give back. `bytes` up to 8192; above, NULL. Nested in the middle of an alloc or free of the
   * slab cache that would serve it, it takes from the next larger one, once. Returns 0: out of memory, or that one
   * is in use further down the stack too; `isRealtime` contexts get nothing. Errors: `bad-size`, `bad-option` (flags).
   */
  allocNolock(bytes: number, flags = 0, isRealtime = false): number {
    checkSize(bytes);
    checkFlags(flags, GFP_ACCOUNT | GFP_ZERO, "GFP_ACCOUNT, GFP_ZERO");
    if (bytes === 0) return ZERO_SIZE_PTR;
    if (bytes > KMALLOC_MAX_SLAB_BYTES || isRealtime) return 0;
    const cache = this.idleCacheFor(bytes);
    const object = cache === 0 ? 0 : this.slab.allocNolock(cache);
    if (object !== 0 && (flags & GFP_ZERO) !== 0) zeroPrivate(this.words, object, (bytes + 3) >>> 2);
    return (object << 2) >>> 0;
  }

  /** The cache that serves `bytes`, or the next larger one if that is in use further down the stack; 0: so is that. */
  protected idleCacheFor(bytes: number): number {
    const { kmalloc } = this.sets;
    const index = kmalloc.indexFor(bytes);
    if (!this.slab.isBusy(kmalloc.cacheAt(index))) return kmalloc.cacheAt(index);
    const next = index + 1;
    return next < kmalloc.sizes.length && !this.slab.isBusy(kmalloc.cacheAt(next))
      ? kmalloc.cacheAt(next)
      : 0;
  }

  /** Every slab cache of the heap: those of the sets, and the program's own. */
  allCaches(): number[] {
    const own = this.directory.ofKind(KIND_KMEM_CACHE).map((record) => record + RECORD_DATA);
    return [...this.sets.all.flatMap((set) => set.sizes.map((_, i) => set.cacheAt(i))), ...own];
  }

  /** See Slab.settle. */
  settle(): void {
    for (const cache of this.allCaches()) this.slab.settle(cache);
  }

  /** Gives up this CPU's current slabs, of all caches. Task context. */
  flush(): void {
    for (const cache of this.allCaches()) this.slab.flush(cache);
  }

  /**
   * Gives empty slabs of all caches back to the page allocator. Looks at up to `limit` slabs of each.
   * True if there were any.
   */
  shrink(limit: number = SHRINK_SLABS): boolean {
    let freed = 0;
    for (const cache of this.allCaches()) {
      const slabs = 2 * loadAcquire(this.words, cache + CACHE_SLABS);
      // in small pieces: other CPUs cannot take a slab meanwhile
      for (let left = Math.min(limit, slabs); left > 0; left -= SWEEP_PIECE) {
        freed += this.slab.lists.sweep(cache, Math.min(left, SWEEP_PIECE), false);
      }
    }
    return freed > 0;
  }

  private allocShrunk(bytes: number): number {
    return this.shrink() ? this.slab.alloc(this.cacheFor(bytes)) : 0;
  }

  private allocLarge(bytes: number, flags: number): number {
    const count = Math.ceil(bytes / PAGE_BYTES);
    if (count > MAX_BLOCK_PAGES) return 0;
    const { pages } = this.slab;
    const page = pages.alloc(count) || (this.shrink() ? pages.alloc(count) : 0);
    if (page === 0) return 0;
    pages.setUse(page, USE_LARGE, count);
    if ((flags & GFP_ZERO) !== 0) pages.zero(page, count);
    return page * PAGE_BYTES;
  }

  private freeLarge(p: number): void {
    const { pages } = this.slab;
    const page = pages.pageAt(p >>> 2);
    const use = pages.use(page);
    if ((use & USE_KIND_MASK) !== USE_LARGE) throw badPointer(p, "is not allocated");
    if (p % PAGE_BYTES !== 0 || !pages.claimUse(page, use)) {
      throw badPointer(p, "is not where a block of pages starts, or was freed at the same time");
    }
    pages.free(page, use >>> USE_COUNT_SHIFT);
  }
}

function badPointer(p: unknown, why: string): SharedHeapError {
  return new SharedHeapError("bad-pointer", `kfree(${shown(p)}): it ${why}`);
}
