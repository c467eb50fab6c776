export { type Allocator, Allocators } from "./allocators.ts";
export { Caches } from "./cache.ts";
export { type AllocatorBooks, checkAllocator } from "./invariants.ts";
export { MemAlloc } from "./mem-alloc.ts";
export { MemCache } from "./mem-cache.ts";
export { UNIT_SIZES, unitSize, type Watermarks, watermarksOf } from "./sizes.ts";
