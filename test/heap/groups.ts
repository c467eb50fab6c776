/** What the tests of groups have in common. */
import type { GroupStats, MemCache, Memcg, SharedHeap } from "sharedheap";

export const KIB = 1024;

/** What a group counts, from outside: also once it was dropped. */
export function groupOf(
  heap: SharedHeap,
  name: string,
  among: readonly GroupStats[] = heap.stats().groups,
): GroupStats | undefined {
  for (const group of among) {
    const found = group.name === name ? group : groupOf(heap, name, group.children);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** An allocator in a group, and so many of its objects. */
export function poolOf(heap: SharedHeap, memcg: Memcg, name = "objects"): MemCache {
  return heap.memCache({ name, size: 1000, memcg });
}
