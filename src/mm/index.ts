export { checkFlags, checkSize } from "./arguments.ts";
export { type CacheShape, initCache } from "./cache-geometry.ts";
export { CacheSets, cacheCount, KMALLOC_SIZES, PERCPU_SIZES, reserveCacheSets } from "./cache-sets.ts";
export {
  checkCache,
  checkObjects,
  checkPages,
  forEachBlock,
  slabsByCache,
  slabsInQueues,
} from "./invariants.ts";
export { Kmalloc, kmallocSizeRoundup } from "./kmalloc.ts";
export { KmemCache, type KmemCacheOptions, type KmemGuard, openKmemCache } from "./kmem-cache.ts";
export { GFP_ACCOUNT, GFP_KERNEL, GFP_ZERO } from "./layout.ts";
export { type Made, type MemcgCounters, Memcgs } from "./memcg.ts";
export { Charges } from "./memcg-charges.ts";
export { checkMemcg, type Holdings, type Sums, sumsOf } from "./memcg-invariants.ts";
export { MemcgStock } from "./memcg-stock.ts";
export { Pages, type PageTables, reservePageTables } from "./pages.ts";
export { Percpu } from "./percpu.ts";
export { percpuSlot, zeroSlots } from "./percpu-slots.ts";
export { Slab } from "./slab.ts";
export { type Holders, holdersOf, privateObjects, shapeIsSound, sharedObjects } from "./slab-lists.ts";
export {
  hasHeaders,
  hasOwners,
  heldBytes,
  isObjectStart,
  isOffset,
  isPercpuCache,
  slabCacheOf,
  slabPageAt,
  slabPageOfOwn,
} from "./slab-lookup.ts";
export { walkSlabs } from "./slab-walk.ts";
