export { type Allocator, Allocators } from "./allocators.ts";
export { Caches } from "./cache.ts";
export { type AllocatorBooks, type ChainsByHome, chainsInQueues, checkAllocator } from "./invariants.ts";
export { MemAlloc } from "./mem-alloc.ts";
export { MemCache } from "./mem-cache.ts";
export { Pipeline } from "./pipeline.ts";
export { UNIT_SIZES, unitSize, type Watermarks, watermarksOf } from "./sizes.ts";
