/** What an allocator makes of a request: the bytes of the unit that serves it. */
import { unitSize } from "../memalloc/index.ts";
import { kmallocSizeRoundup } from "../mm/index.ts";
import type { AllocatorName } from "./arguments.ts";

/** The largest request that malloc serves from its caches; larger ones go to kmalloc. */
export const LARGEST_CACHED = 4088;

/** Returns unit bytes by request. Small ones, nearly all, are looked up. */
export function unitBytes(alloc: AllocatorName): (request: number) => number {
  const table = new Uint32Array(LARGEST_CACHED + 1);
  // No object stands behind a request of 0.
  for (let n = 1; n <= LARGEST_CACHED; n++) {
    table[n] = alloc === "memalloc" ? unitSize(n) : kmallocSizeRoundup(n);
  }
  return (request) => (request <= LARGEST_CACHED ? table[request] : kmallocSizeRoundup(request));
}
