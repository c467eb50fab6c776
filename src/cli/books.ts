/** The heap's own accounts, reduced to what a replay compares before and after. */
import type { HeapStats, SharedHeap } from "../index.ts";
import type { AllocatorName } from "./arguments.ts";

export interface Books {
  /** Objects and large blocks that somebody holds. */
  held: number;
  refills: number;
  trims: number;
}

/** Reads the accounts of the allocator that the replay uses. */
export function readBooks(heap: SharedHeap, alloc: AllocatorName): Books {
  const stats = heap.stats();
  return { held: heldObjects(stats), ...traffic(stats, alloc) };
}

function heldObjects(stats: HeapStats): number {
  return stats.slabs.reduce((sum, slab) => sum + slab.used, stats.large.blocks);
}

/** How often the allocator had to go to the layer below it; kmalloc's own lists are never trimmed. */
function traffic(stats: HeapStats, alloc: AllocatorName): { refills: number; trims: number } {
  if (alloc === "kmalloc") {
    return { refills: stats.slabs.reduce((sum, slab) => sum + slab.refills, 0), trims: 0 };
  }
  const malloc = stats.allocators.find(({ name }) => name === "malloc");
  return { refills: malloc?.refills ?? 0, trims: malloc?.trims ?? 0 };
}
