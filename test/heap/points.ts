/** The names of all tracepoints, and calls that come by all of them. */
import type { MemCache, SharedHeap, TracepointName } from "sharedheap";
import { allocMany, freeAll, settle } from "../memalloc/heaps.ts";

export const POINTS: readonly TracepointName[] = [
  "memalloc:alloc",
  "memalloc:free",
  "memalloc:refill",
  "memalloc:trim",
  "slab:alloc",
  "slab:free",
  "slab:new",
  "slab:discard",
  "rcu:gp_start",
  "rcu:gp_end",
  "rcu:callbacks",
];

/** Comes by every tracepoint more than once. */
export function provoke(heap: SharedHeap, pool: MemCache): void {
  for (let round = 0; round < 4; round++) {
    const objects = allocMany(pool, pool.size, 600);
    heap.rcu.readLock();
    for (const p of objects.splice(0, 300)) pool.freeRcu(p);
    heap.rcu.readUnlock();
    freeAll(pool, objects);
    settle(heap);
    const blocks = Array.from({ length: 50 }, () => heap.kmalloc(4096));
    for (const p of blocks) heap.kfree(p);
    heap.checkInvariants();
  }
}
