export { type Allocator, Allocators, type Destroyed, type Program } from "./allocators.ts";
export { Caches } from "./cache.ts";
export { type Destructor, Destructors } from "./destructors.ts";
export { Helper } from "./helper.ts";
export { Inbox } from "./inbox.ts";
export {
  type AllocatorBooks,
  type ChainsByHome,
  chainsInQueues,
  checkAllocator,
  checkNames,
} from "./invariants.ts";
export { MemAlloc } from "./mem-alloc.ts";
export { MemCache } from "./mem-cache.ts";
export { Pipeline } from "./pipeline.ts";
export { Registry } from "./registry.ts";
export { UNIT_SIZES, unitSize, type Watermarks, watermarksOf } from "./sizes.ts";
