/** The operations whose accesses are counted, each on a heap of its own that is in a known state. */
import { rcuAssignPointer, rcuDereference, SharedHeap } from "#src/index.js";

export interface Operation {
  readonly name: string;
  /** Brings a heap into that state. What it returns is counted. */
  prepare(heap: SharedHeap): () => unknown;
}

/** What the allocators have in common. */
interface Pool {
  alloc(size: number): number;
  free(p: number): void;
  freeRcu(p: number): void;
}

const SIZE = 64;
/** Ten batches. */
const MANY = 480;
/** Fills a free list to well above the low watermark, and below the high one. */
const SOME = 64;

const POOLS: readonly (readonly [string, (heap: SharedHeap) => Pool])[] = [
  ["MemAlloc", (heap) => heap.memAlloc({ name: "any" })],
  ["MemCache", (heap) => heap.memCache({ name: "fixed", size: SIZE })],
  ["OwnedCache", (heap) => heap.memCache({ name: "owned", size: SIZE, owned: true })],
  [
    "MemCache of a group",
    (heap) => heap.memCache({ name: "charged", size: SIZE, memcg: heap.memcg({ name: "group" }) }),
  ],
];

function allocMany(pool: Pool, count = MANY): number[] {
  return Array.from({ length: count }, () => pool.alloc(SIZE));
}

function stocked(pool: Pool): Pool {
  for (const p of allocMany(pool, SOME)) pool.free(p);
  return pool;
}

/** Another CPU of the heap, with the pool that `open` opens. */
function onAnotherCpu(heap: SharedHeap, open: (heap: SharedHeap) => Pool): Pool {
  return open(SharedHeap.attach(heap.token, { turns: false }));
}

/** From stock: the fast paths. */
function fastPaths([name, open]: (typeof POOLS)[number]): Operation[] {
  return [
    {
      name: `${name}: alloc`,
      prepare(heap) {
        const pool = stocked(open(heap));
        return () => pool.alloc(SIZE);
      },
    },
    {
      name: `${name}: free`,
      prepare(heap) {
        const pool = stocked(open(heap));
        const p = pool.alloc(SIZE);
        return () => pool.free(p);
      },
    },
    {
      name: `${name}: freeRcu`,
      prepare(heap) {
        const pool = stocked(open(heap));
        const [first, p] = allocMany(pool, 2);
        pool.freeRcu(first);
        return () => pool.freeRcu(p);
      },
    },
  ];
}

/** Refills, trims and grace periods: as many operations as make ten batches. */
function slowPaths([name, open]: (typeof POOLS)[number]): Operation[] {
  return [
    {
      name: `${name}: ${MANY} allocs, refilled from slab`,
      prepare(heap) {
        const pool = stocked(open(heap));
        return () => allocMany(pool);
      },
    },
    {
      name: `${name}: ${MANY} frees, trimmed`,
      prepare(heap) {
        const pool = stocked(open(heap));
        const objects = allocMany(pool);
        return () => objects.forEach((p) => void pool.free(p));
      },
    },
    {
      name: `${name}: ${MANY} frees of what another CPU allocated`,
      prepare(heap) {
        const objects = allocMany(open(heap));
        const other = onAnotherCpu(heap, open);
        return () => objects.forEach((p) => void other.free(p));
      },
    },
    {
      name: `${name}: ${MANY} allocs of what another CPU freed`,
      prepare(heap) {
        const pool = open(heap);
        const objects = allocMany(pool, 2 * MANY);
        const other = onAnotherCpu(heap, open);
        for (const p of objects) other.free(p);
        return () => allocMany(pool);
      },
    },
    {
      name: `${name}: ${MANY} times alloc and freeRcu, then a poll`,
      prepare(heap) {
        const pool = stocked(open(heap));
        return () => {
          for (let i = 0; i < MANY; i++) pool.freeRcu(pool.alloc(SIZE));
          heap.poll();
        };
      },
    },
  ];
}

const READERS: readonly Operation[] = [
  { name: "rcu.readLock", prepare: (heap) => () => heap.rcu.readLock() },
  {
    name: "rcu.readUnlock",
    prepare(heap) {
      heap.rcu.readLock();
      return () => heap.rcu.readUnlock();
    },
  },
  { name: "rcu.tasksTrace.enter", prepare: (heap) => () => heap.rcu.tasksTrace.enter() },
  {
    name: "rcu.tasksTrace.exit",
    prepare(heap) {
      const section = heap.rcu.tasksTrace.enter();
      return () => section.exit();
    },
  },
  {
    name: "rcuAssignPointer",
    prepare(heap) {
      const slot = heap.kmalloc(8);
      return () => rcuAssignPointer(heap, slot, slot);
    },
  },
  {
    name: "rcuDereference",
    prepare(heap) {
      const slot = heap.kmalloc(8);
      return () => rcuDereference(heap, slot);
    },
  },
];

const OTHERS: readonly Operation[] = [
  {
    name: "malloc",
    prepare(heap) {
      stocked({ alloc: (size) => heap.malloc(size), free: (p) => heap.free(p), freeRcu() {} });
      return () => heap.malloc(SIZE);
    },
  },
  {
    name: "free of malloc",
    prepare(heap) {
      const p = heap.malloc(SIZE);
      return () => heap.free(p);
    },
  },
  {
    name: "kmalloc",
    prepare(heap) {
      heap.kmalloc(SIZE);
      return () => heap.kmalloc(SIZE);
    },
  },
  {
    name: "kfree, into this CPU's slab",
    prepare(heap) {
      const p = heap.kmalloc(SIZE);
      return () => heap.kfree(p);
    },
  },
  {
    name: "kfree, into another slab",
    prepare(heap) {
      const [p] = Array.from({ length: MANY }, () => heap.kmalloc(SIZE));
      return () => heap.kfree(p);
    },
  },
  {
    name: `${MANY} times kmalloc`,
    prepare: (heap) => () => Array.from({ length: MANY }, () => heap.kmalloc(SIZE)),
  },
  {
    name: "kmallocNolock",
    prepare(heap) {
      heap.kmalloc(SIZE);
      return () => heap.kmallocNolock(SIZE);
    },
  },
  {
    name: "percpu.thisCpuPtr",
    prepare(heap) {
      const p = heap.percpu.alloc(8);
      return () => heap.percpu.thisCpuPtr(p);
    },
  },
  {
    name: "percpu.counter().add",
    prepare(heap) {
      const counter = heap.percpu.counter();
      return () => counter.add(1);
    },
  },
  { name: "context.nmi of nothing", prepare: (heap) => () => heap.context.nmi(() => {}) },
  { name: "poll, with nothing to do", prepare: (heap) => () => heap.poll() },
];

export const OPERATIONS: readonly Operation[] = [
  ...POOLS.flatMap(fastPaths),
  ...POOLS.flatMap(slowPaths),
  ...READERS,
  ...OTHERS,
];
