/** Where the threads' objects come from: each way to allocate that the library has. */
import type { MemAlloc, MemCache, OwnedCache, SharedHeap } from "sharedheap";

type Random = (below: number) => number;

/** A pool as a thread has it open. */
export interface Pool {
  alloc(bytes: number): number;
  free(p: number): void;
  /** As `free`, where there is nothing else. */
  freeRcu(p: number): void;
}

export interface Kind {
  readonly name: string;
  /** Names of slab caches whose objects are those of this pool, and of others in the same books. */
  readonly books: "objects" | "blocks";
  /** Entries that are used at most: for large objects fewer. */
  readonly most: number;
  /** Objects name who allocated them: they are not handed over, and what a dead thread had is reclaimed. */
  readonly isOwned?: boolean;
  /** Payload of an object: at least 16, a multiple of 4. */
  readonly bytes: (random: Random) => number;
  readonly open: (heap: SharedHeap) => Pool;
}

const FIXED_BYTES = 48;
const CHARGED_BYTES = 120;
const OWNED_BYTES = 72;
const SLAB_BYTES = 96;
const PERCPU_BYTES = 64;
const GROUP = { name: "kill tenants", max: 256 * 2 ** 20 };

/** Mostly small. */
function mixed(random: Random): number {
  return 16 + 4 * (random(8) === 0 ? random(1018) : random(60));
}

/** The pool of which objects are owned. */
export function openOwned(heap: SharedHeap): OwnedCache {
  return heap.memCache({ name: "kill owned", size: OWNED_BYTES, owned: true });
}

function rcuPool(pool: MemCache | OwnedCache): Pool {
  return { alloc: () => pool.alloc(), free: (p) => pool.free(p), freeRcu: (p) => pool.freeRcu(p) };
}

function anyPool(pool: MemAlloc): Pool {
  return {
    alloc: (bytes) => pool.alloc(bytes),
    free: (p) => pool.free(p),
    freeRcu: (p) => pool.freeRcu(p),
  };
}

function openKmalloc(heap: SharedHeap): Pool {
  const free = (p: number): void => heap.kfree(p);
  return { alloc: (bytes) => heap.kmalloc(bytes), free, freeRcu: free };
}

function openSlabs(heap: SharedHeap): Pool {
  const cache = heap.kmemCache({ name: "kill slabs", size: SLAB_BYTES, align: 32 });
  const free = (p: number): void => cache.free(p);
  return { alloc: () => cache.alloc(), free, freeRcu: free };
}

function openPercpu(heap: SharedHeap): Pool {
  const free = (p: number): void => heap.percpu.free(p);
  return { alloc: (bytes) => heap.percpu.alloc(bytes), free, freeRcu: free };
}

export const POOLS: readonly Kind[] = [
  {
    name: "fixed",
    books: "objects",
    most: 128,
    bytes: () => FIXED_BYTES,
    open: (heap) => rcuPool(heap.memCache({ name: "kill fixed", size: FIXED_BYTES })),
  },
  {
    name: "any",
    books: "objects",
    most: 128,
    bytes: mixed,
    open: (heap) => anyPool(heap.memAlloc({ name: "kill any" })),
  },
  {
    name: "charged",
    books: "objects",
    most: 128,
    bytes: () => CHARGED_BYTES,
    open: (heap) =>
      rcuPool(heap.memCache({ name: "kill charged", size: CHARGED_BYTES, memcg: heap.memcg(GROUP) })),
  },
  {
    name: "per-CPU objects",
    books: "objects",
    most: 32,
    bytes: (random) => 16 << random(5),
    open: (heap) => heap.percpu.objects,
  },
  {
    name: "owned",
    books: "objects",
    most: 64,
    isOwned: true,
    bytes: () => OWNED_BYTES,
    open: (heap) => rcuPool(openOwned(heap)),
  },
  {
    name: "kmalloc",
    books: "blocks",
    most: 64,
    bytes: (random) => 2 * mixed(random),
    open: openKmalloc,
  },
  {
    name: "pages",
    books: "blocks",
    most: 4,
    bytes: (random) => 8196 + 4096 * random(16),
    open: openKmalloc,
  },
  { name: "kmemCache", books: "blocks", most: 64, bytes: () => SLAB_BYTES, open: openSlabs },
  { name: "percpu.alloc", books: "blocks", most: 32, bytes: () => PERCPU_BYTES, open: openPercpu },
];

/** The pool of the objects that readers look at. */
export const PUBLISHED_POOL = 0;

export const OWNED_POOL = POOLS.findIndex(({ isOwned }) => isOwned);

export function openPools(heap: SharedHeap): Pool[] {
  return POOLS.map(({ open }) => open(heap));
}
