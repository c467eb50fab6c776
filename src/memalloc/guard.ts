/** What a debug heap puts around objects, and between programs and allocators. */
import type { MemAlloc, Opened } from "./mem-alloc.ts";
import type { MemCache } from "./mem-cache.ts";
import type { Watermarks } from "./sizes.ts";

export interface Guard {
  /** Bytes that an object is longer by. */
  readonly aroundBytes: number;
  memAlloc(opened: Opened, table: Int32Array, areaWords: number): MemAlloc;
  memCache(opened: Opened, size: number, cache: number, watermarks: Watermarks): MemCache;
}
