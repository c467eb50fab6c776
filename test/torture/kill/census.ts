/** What there is in a heap, looked at object by object while no thread is inside a call. */
import type { SharedHeap } from "sharedheap";
import type { Booted } from "#src/boot.js";
import { leakedObjects } from "#src/memalloc/leaks.js";

export interface Census {
  /** Objects with a header, that is, of the allocators: what slab has given for them; on lists; alive, by offset. */
  readonly taken: number;
  readonly listed: number;
  readonly alive: ReadonlySet<number>;
  /** The same of allocators that have been ended and are not gone yet: nobody can free them any more. */
  readonly leaked: number;
  /** Objects of slab caches without headers, and blocks of pages. */
  readonly blocks: number;
}

/** Names of the sets of slab caches whose objects have headers. */
const WITH_HEADERS = /^(memalloc|owned)/;

export function census(heap: SharedHeap): Census {
  const { slabs, allocators, large } = heap.stats();
  const used = (isWanted: (name: string) => boolean): number =>
    slabs.reduce((sum, { name, used }) => sum + (isWanted(name) ? used : 0), 0);
  const { kmalloc, registry, allocators: all } = (heap as unknown as { booted: Booted }).booted;
  const aliveIn = (isLive: boolean): number[] =>
    all
      .list()
      .filter(({ ref }) => registry.isLive(ref) === isLive)
      .flatMap((allocator) => leakedObjects(kmalloc, allocator));
  return {
    taken: used((name) => WITH_HEADERS.test(name)),
    listed: allocators.reduce((sum, { listed }) => sum + listed, 0),
    alive: new Set(aliveIn(true)),
    leaked: aliveIn(false).length,
    blocks: used((name) => !WITH_HEADERS.test(name)) + large.blocks,
  };
}
