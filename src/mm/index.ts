export { type CacheShape, initCache } from "./cache-geometry.ts";
export { checkCache, checkPages, forEachBlock, slabsByCache, slabsInQueues } from "./invariants.ts";
export {
  checkFlags,
  checkSize,
  KMALLOC_SIZES,
  Kmalloc,
  kmallocSizeRoundup,
  reserveKmallocCaches,
} from "./kmalloc.ts";
export { KmemCache, type KmemCacheOptions, openKmemCache } from "./kmem-cache.ts";
export { GFP_ACCOUNT, GFP_KERNEL, GFP_ZERO } from "./layout.ts";
export { Pages, type PageTables, reservePageTables } from "./pages.ts";
export { Slab } from "./slab.ts";
export { isObjectStart, isOffset, slabCacheOf, slabPageAt } from "./slab-lookup.ts";
