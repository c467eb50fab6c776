/**
 * The slab caches that every heap has: sets of them, by size. Who allocates from different sets never gets memory of one
 * slab: so of the objects of the allocators, all of which have headers, none is ever taken for a kmalloc object, and
 * what a thread that died had in hand is found by looking at headers.
 */
import type { Words } from "#primitive";
import type { Memblock } from "../arena/index.ts";
import { initCache, initPercpuCache } from "./cache-geometry.ts";
import { CACHE_WORDS, FLAG_HEADERS, FLAG_PERCPU, FLAG_TYPESAFE_BY_RCU, SLAB_CPU_WORDS } from "./layout.ts";

/** Sizes of kmalloc's slab caches. */
export const KMALLOC_SIZES: readonly number[] = [
  8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192,
];

/** Unit sizes of the caches of per-CPU objects, each CPU's slot. */
export const PERCPU_SIZES: readonly number[] = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192];

interface Plan {
  readonly name: string;
  readonly sizes: readonly number[];
  readonly flags: number;
}

/** All sets; `owned`: objects that name who allocated them, so that others may look at them at any time. */
const PLANS: readonly Plan[] = [
  { name: "kmalloc", sizes: KMALLOC_SIZES, flags: 0 },
  { name: "percpu", sizes: PERCPU_SIZES, flags: FLAG_PERCPU },
  { name: "memalloc", sizes: KMALLOC_SIZES, flags: FLAG_HEADERS },
  { name: "memalloc-percpu", sizes: PERCPU_SIZES, flags: FLAG_HEADERS | FLAG_PERCPU },
  { name: "owned", sizes: KMALLOC_SIZES, flags: FLAG_HEADERS | FLAG_TYPESAFE_BY_RCU },
];

export class CacheSet {
  /** What its caches are called: name-size. */
  readonly name: string;
  readonly sizes: readonly number[];
  private readonly words: Words;
  private readonly flags: number;
  private readonly first: number;
  /** For each size in units of 8 bytes, rounded up: the index of its cache. */
  private readonly indices: Uint8Array;

  /** `first`: the address of the first cache. */
  constructor(words: Words, { name, sizes, flags }: Plan, first: number) {
    this.words = words;
    this.name = name;
    this.sizes = sizes;
    this.flags = flags;
    this.first = first;
    const largest = sizes[sizes.length - 1];
    this.indices = Uint8Array.from({ length: largest / 8 + 1 }, (_, eights) =>
      sizes.findIndex((size) => size >= eights * 8),
    );
  }

  /** Fills in the caches. Creator only. `percpu`: offset of SLAB_CPU_WORDS words for each in each area. */
  format(percpu: number, maxCpus: number): void {
    this.sizes.forEach((size, i) => {
      const cache = this.cacheAt(i);
      const local = percpu + i * SLAB_CPU_WORDS;
      const shape = { size, align: 8, hasConstructor: false, isTypesafe: false };
      if ((this.flags & FLAG_PERCPU) === 0) initCache(this.words, cache, shape, local, this.flags);
      else initPercpuCache(this.words, cache, size, maxCpus, local, this.flags);
    });
  }

  /** The address of the cache of the `index`-th size. */
  cacheAt(index: number): number {
    return this.first + index * CACHE_WORDS;
  }

  /** The index of the cache that serves objects of `bytes`, from 1 to the largest size. */
  indexFor(bytes: number): number {
    return this.indices[(bytes + 7) >>> 3];
  }

  /** That cache. */
  cacheFor(bytes: number): number {
    return this.cacheAt(this.indexFor(bytes));
  }
}

/** The sets of a heap. */
export class CacheSets {
  readonly kmalloc: CacheSet;
  readonly percpu: CacheSet;
  readonly memalloc: CacheSet;
  readonly memallocPercpu: CacheSet;
  readonly owned: CacheSet;
  readonly all: readonly CacheSet[];

  /** `first`, `larger`: as for reserveCacheSets. */
  constructor(words: Words, first: number, larger: readonly number[] = []) {
    let next = first;
    this.all = plansWith(larger).map((plan) => {
      const set = new CacheSet(words, plan, next);
      next += plan.sizes.length * CACHE_WORDS;
      return set;
    });
    [this.kmalloc, this.percpu, this.memalloc, this.memallocPercpu, this.owned] = this.all;
  }

  /** Fills in the caches. Creator only. `percpu`: offset of SLAB_CPU_WORDS words for each cache in each area. */
  format(percpu: number, maxCpus: number): void {
    let local = percpu;
    for (const set of this.all) {
      set.format(local, maxCpus);
      local += set.sizes.length * SLAB_CPU_WORDS;
    }
  }
}

/** Sets that have no larger sizes: of per-CPU objects, and of those that others look at. */
const ONLY_USUAL = FLAG_PERCPU | FLAG_TYPESAFE_BY_RCU;

/** Where the caches lie. `larger`: sizes above the usual ones, of the other sets. */
export function reserveCacheSets(memblock: Memblock, larger: readonly number[] = []): number {
  return memblock.reserve(cacheCount(larger) * CACHE_WORDS);
}

/** How many slab caches all sets have. */
export function cacheCount(larger: readonly number[] = []): number {
  return plansWith(larger).reduce((sum, { sizes }) => sum + sizes.length, 0);
}

function plansWith(larger: readonly number[]): Plan[] {
  return PLANS.map((plan) =>
    (plan.flags & ONLY_USUAL) !== 0 ? plan : { ...plan, sizes: [...plan.sizes, ...larger] },
  );
}
