/** Calls that come by all tracepoints. */
import { type MemCache, SharedHeap } from "sharedheap";
import { allocMany, exhaust, freeAll, settle } from "../memalloc/heaps.ts";

/** Comes by every tracepoint more than once; by those of reaping if the heap has room for another thread. */
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
    fillGroup(heap);
    if (heap.cpus().length > 1) bury(heap);
    heap.checkInvariants();
  }
}

/** Allocates in a group until there is NULL, and then no more. */
function fillGroup(heap: SharedHeap): void {
  const memcg = heap.memcg({ name: "provoked", max: 64 * 1024 });
  const pool = heap.memCache({ name: "provoked", size: 1000, memcg });
  freeAll(pool, exhaust(pool, pool.size));
}

/** Another thread comes, and dies. */
function bury(heap: SharedHeap): void {
  const other = SharedHeap.attach(heap.token, { turns: false });
  heap.reap(other.cpu, { surelyGone: true });
}
