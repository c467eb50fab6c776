export { Allocators, type Destroyed, type Program } from "./allocators.ts";
export { Caches } from "./cache.ts";
export type { Allocator } from "./description.ts";
export { type Destructor, Destructors } from "./destructors.ts";
export { Helper } from "./helper.ts";
export { Inbox } from "./inbox.ts";
export {
  type AllocatorBooks,
  type ChainsByHome,
  chainsInQueues,
  checkAllocator,
  checkHomes,
  checkOwners,
} from "./invariants.ts";
export { leakedObjects } from "./leaks.ts";
export { MemAlloc } from "./mem-alloc.ts";
export { MemCache } from "./mem-cache.ts";
export { OwnedCache } from "./owned-cache.ts";
export { forEachOwned, isUnowned } from "./owner.ts";
export { Pipeline } from "./pipeline.ts";
export type { AtLimits } from "./reclaim.ts";
export { Registry } from "./registry.ts";
export { UNIT_SIZES, unitSize, type Watermarks, watermarksOf } from "./sizes.ts";
export { Supply } from "./supply.ts";
