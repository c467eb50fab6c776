/** The kinds of memory that there is to be freed, and all ways to free it. */
import type { KmemCache, MemAlloc, MemCache, OwnedCache, SharedHeap } from "sharedheap";

/** An integer from 0 to `below` - 1. */
export type Random = (below: number) => number;

/**
 * How a free looks at a pointer. `object`: by the header in front of it. Others look whether an object of the right slabs
 * starts there: `kmalloc` of any but per-CPU ones, `kmem` of one slab cache, `percpu` of per-CPU ones. `heap`: `object`, or
 * `kmalloc` from 4,096 bytes on where it is a multiple of 4,096.
 */
export type Look = "object" | "kmalloc" | "kmem" | "percpu" | "heap";

/** A way to free something. */
export interface Way {
  readonly name: string;
  readonly look: Look;
  /** What is right for it: of `object`, `kmem` and `heap`; undefined: all that it looks at. */
  readonly pool: Pool | undefined;
  call(cpu: number, p: number): void;
}

/** Where memory comes from. */
export interface Pool {
  readonly name: string;
  /** What is in front of an object, and where it lies. */
  readonly kind: "object" | "kmalloc" | "kmem" | "percpu";
  readonly isPercpu: boolean;
  /** Bytes in front of it. */
  readonly headerBytes: number;
  /** A size to ask for; a multiple of 8. */
  bytes(random: Random): number;
  alloc(cpu: number, bytes: number): number;
  readonly ways: Way[];
}

type Cpus = readonly SharedHeap[];
type Frees = readonly (readonly [string, (cpu: number, p: number) => void])[];

const HEADER_BYTES = 8;
const OWNED_HEADER_BYTES = 16;
/** Bytes of the objects of two caches, and of one bucket: 64 with the header. */
const ALIKE = 56;

export function poolsOf(cpus: Cpus): readonly Pool[] {
  const group = cpus[0].memcg({ name: "group" });
  const kmalloc = kmallocPool(cpus);
  return [
    anyPool("any a", openAny(cpus, "any a")),
    anyPool("any b", openAny(cpus, "any b")),
    fixedPool("fixed a", ALIKE, openFixed(cpus, { name: "fixed a", size: ALIKE })),
    fixedPool("fixed b", ALIKE, openFixed(cpus, { name: "fixed b", size: ALIKE })),
    fixedPool("grouped", 200, openFixed(cpus, { name: "grouped", size: 200, memcg: group }, true)),
    fixedPool("per-CPU", 24, openFixed(cpus, { name: "per-CPU", size: 24, percpu: true }), true),
    ownedPool(cpus.map((heap) => heap.memCache({ name: "owned", size: 48, owned: true }))),
    smallPool(cpus),
    percpuObjectsPool(cpus),
    kmalloc,
    largePool(cpus, kmalloc),
    kmemPool("kmem a", 64, openKmem(cpus, { name: "kmem a", size: 64 })),
    kmemPool("kmem b", 64, openKmem(cpus, { name: "kmem b", size: 64 })),
    kmemPool("typesafe", 40, openKmem(cpus, { name: "typesafe", size: 40, typesafeByRcu: true })),
    percpuPool(cpus),
  ];
}

export function openAny(cpus: Cpus, name: string): MemAlloc[] {
  return cpus.map((heap) => heap.memAlloc({ name }));
}

/** `once`: all but the first CPU open it without its group, which is another one's on each. */
function openFixed(cpus: Cpus, options: Parameters<SharedHeap["memCache"]>[0], once = false): MemCache[] {
  const { memcg, ...others } = options;
  return cpus.map((heap, i) => heap.memCache(once && i > 0 ? others : options));
}

function openKmem(cpus: Cpus, options: Parameters<SharedHeap["kmemCache"]>[0]): KmemCache[] {
  return cpus.map((heap) => heap.kmemCache(options));
}

/** Without headers, unless it is said. */
type Plan = Omit<Pool, "ways" | "headerBytes"> & { readonly headerBytes?: number };

function withWays(pool: Plan, look: Look, frees: Frees): Pool {
  const headerBytes = pool.kind === "object" ? HEADER_BYTES : 0;
  const whole: Pool = { headerBytes, ...pool, ways: [] };
  for (const [name, call] of frees)
    whole.ways.push({ name: `${pool.name}.${name}`, look, pool: whole, call });
  return whole;
}

function poolFrees(pools: readonly (MemAlloc | MemCache | OwnedCache)[]): Frees {
  return [
    ["free", (cpu, p) => pools[cpu].free(p)],
    ["freeRcu", (cpu, p) => pools[cpu].freeRcu(p)],
    ["rawFree", (cpu, p) => pools[cpu].rawFree(p)],
  ];
}

/** Multiples of 8, small ones more often. */
function sizeUpTo(max: number, random: Random): number {
  const limit = random(5) === 0 ? max : Math.min(max, 128);
  return 8 + 8 * random(limit >>> 3);
}

export function anyPool(name: string, pools: readonly MemAlloc[]): Pool {
  const alloc = (cpu: number, bytes: number) => pools[cpu].alloc(bytes);
  const bytes = (random: Random) => (random(4) === 0 ? ALIKE : sizeUpTo(4080, random));
  return withWays({ name, kind: "object", isPercpu: false, bytes, alloc }, "object", poolFrees(pools));
}

function fixedPool(name: string, size: number, pools: readonly MemCache[], isPercpu = false): Pool {
  const alloc = (cpu: number) => pools[cpu].alloc();
  return withWays({ name, kind: "object", isPercpu, bytes: () => size, alloc }, "object", poolFrees(pools));
}

/** Objects that name who allocated them. */
function ownedPool(pools: readonly OwnedCache[]): Pool {
  const alloc = (cpu: number) => pools[cpu].alloc();
  const plan = { name: "owned", kind: "object", isPercpu: false, headerBytes: OWNED_HEADER_BYTES } as const;
  return withWays({ ...plan, bytes: () => pools[0].size, alloc }, "object", poolFrees(pools));
}

/** heap.malloc of what the allocator behind it serves. */
function smallPool(cpus: Cpus): Pool {
  const alloc = (cpu: number, bytes: number) => cpus[cpu].malloc(bytes);
  const bytes = (random: Random) => sizeUpTo(4080, random);
  return withWays({ name: "malloc", kind: "object", isPercpu: false, bytes, alloc }, "heap", [
    ["heap.free", (cpu, p) => cpus[cpu].free(p)],
  ]);
}

/** Of two sizes, each of which has a cache of its own. */
function percpuObjectsPool(cpus: Cpus): Pool {
  const alloc = (cpu: number, size: number) => cpus[cpu].percpu.objects.alloc(size);
  const bytes = (random: Random) => (random(2) === 0 ? 8 : 32);
  // opened while there is memory for their first ones
  for (const { percpu } of cpus) for (const size of [8, 32]) percpu.objects.free(percpu.objects.alloc(size));
  return withWays({ name: "percpu.objects", kind: "object", isPercpu: true, bytes, alloc }, "object", [
    ["free", (cpu, p) => cpus[cpu].percpu.objects.free(p)],
    ["freeRcu", (cpu, p) => cpus[cpu].percpu.objects.freeRcu(p)],
  ]);
}

/** kmalloc, small and large; what it gives may also be freed with the others' ways, where these say so. */
function kmallocPool(cpus: Cpus): Pool {
  const bytes = (random: Random) => sizeUpTo(random(12) === 0 ? 20_000 : 2048, random);
  const alloc = (cpu: number, size: number) => cpus[cpu].kmalloc(size);
  return withWays({ name: "kmalloc", kind: "kmalloc", isPercpu: false, bytes, alloc }, "kmalloc", [
    ["kfree", (cpu, p) => cpus[cpu].kfree(p)],
    ["kfreeNolock", (cpu, p) => cpus[cpu].kfreeNolock(p)],
  ]);
}

/** heap.malloc of what kmalloc serves. */
function largePool(cpus: Cpus, { ways }: Pool): Pool {
  const bytes = (random: Random) => 4096 + 8 * random(2000);
  const alloc = (cpu: number, size: number) => cpus[cpu].malloc(size);
  const plan = { name: "malloc, large", kind: "kmalloc", isPercpu: false, headerBytes: 0 } as const;
  return { ...plan, bytes, alloc, ways: [...ways] };
}

function kmemPool(name: string, size: number, caches: readonly KmemCache[]): Pool {
  const alloc = (cpu: number) => caches[cpu].alloc();
  return withWays({ name, kind: "kmem", isPercpu: false, bytes: () => size, alloc }, "kmem", [
    ["free", (cpu, p) => caches[cpu].free(p)],
  ]);
}

function percpuPool(cpus: Cpus): Pool {
  const bytes = (random: Random) => sizeUpTo(1000, random);
  const alloc = (cpu: number, size: number) => cpus[cpu].percpu.alloc(size);
  return withWays({ name: "percpu", kind: "percpu", isPercpu: true, bytes, alloc }, "percpu", [
    ["free", (cpu, p) => cpus[cpu].percpu.free(p)],
  ]);
}
