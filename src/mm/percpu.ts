/**
 * Per-CPU memory: an object is a slot in each possible CPU's part of a slab, at the same place in each. So what CPUs
 * write at once lies in different lines, and the slot of any CPU is found by adding. (The kernel's alloc_percpu.)
 *
 *     slab    | CPU 0's part        | CPU 1's part        | ...      PERCPU_STRIDE_BYTES each
 *     object    p                     p + stride
 *
 * These are slab caches as others are, whose slabs have a part for each possible CPU, of which the first is cut into
 * objects. So a thread that attaches finds its slots of everything; in a slot that another one left it goes on with what
 * that had, and sums over all CPUs stay right.
 *
 * Contexts and progress: those of slab. Nothing is prefilled, and nothing need be: a new slab can be made in any context.
 */
import { readPrivate, type Words } from "#primitive";
import { SharedHeapError, shown } from "../arena/index.ts";
import { ZERO_SIZE_PTR } from "../arena/layout.ts";
import { checkSize } from "./arguments.ts";
import type { CacheSet } from "./cache-sets.ts";
import { CACHE_UNIT_WORDS, PERCPU_MAX_BYTES } from "./layout.ts";
import { zeroSlots } from "./percpu-slots.ts";
import type { Slab } from "./slab.ts";
import {
  hasHeaders,
  isObjectStart,
  isOffset,
  isPercpuCache,
  slabCacheOf,
  slabPageAt,
} from "./slab-lookup.ts";

export class Percpu {
  readonly maxCpus: number;
  private readonly slab: Slab;
  private readonly words: Words;
  private readonly caches: CacheSet;

  constructor(slab: Slab, caches: CacheSet, maxCpus: number) {
    this.slab = slab;
    this.words = slab.words;
    this.caches = caches;
    this.maxCpus = maxCpus;
  }

  /**
   * An object with a slot of `bytes` bytes, up to 4096, on each possible CPU, all zero: the offset of CPU 0's. 0: out of
   * memory, more than that, or nested in another one of that size. Size 0: ZERO_SIZE_PTR. Any context. Errors: `bad-size`.
   */
  alloc(bytes: number): number {
    checkSize(bytes);
    if (bytes === 0) return ZERO_SIZE_PTR;
    if (bytes > PERCPU_MAX_BYTES) return 0;
    const object = this.slab.alloc(this.caches.cacheFor(bytes));
    if (object !== 0) zeroSlots(this.words, object, (bytes + 3) >>> 2, this.maxCpus);
    return (object << 2) >>> 0;
  }

  /** Frees what alloc returned; 0 and ZERO_SIZE_PTR are ignored. Any context. Errors: `bad-pointer`. */
  free(p: number): void {
    if (p === 0 || p === ZERO_SIZE_PTR) return;
    const page = this.pageOf(p);
    if (page === 0) {
      throw new SharedHeapError("bad-pointer", `percpuFree(${shown(p)}): no per-CPU object starts there`);
    }
    this.slab.free(slabCacheOf(this.slab.pages, page), page, p >>> 2);
  }

  /** Bytes of each slot of the per-CPU object that starts at `p`, free or not; 0: none does. */
  unitAt(p: unknown): number {
    const page = this.pageOf(p);
    const cache = page === 0 ? 0 : slabCacheOf(this.slab.pages, page);
    return cache === 0 ? 0 : readPrivate(this.words, cache + CACHE_UNIT_WORDS) * 4;
  }

  /** The slab of the per-CPU object that starts at `p`; 0: none does. */
  private pageOf(p: unknown): number {
    const { pages } = this.slab;
    if (!isOffset(pages, p)) return 0;
    const page = slabPageAt(pages, p >>> 2);
    if (page === 0 || !isObjectStart(pages, page, p >>> 2)) return 0;
    const cache = slabCacheOf(pages, page);
    return isPercpuCache(this.words, cache) && !hasHeaders(this.words, cache) ? page : 0;
  }
}
