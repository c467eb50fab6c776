/** `heap.stats()`: counters and sizes, read from the heap. Of a heap that is damaged: some numbers, and no more work than of another. */
import { peek } from "#primitive";
import type { Ref } from "../arena/index.ts";
import type { CpuInfo } from "../cpu/index.ts";
import type { DebugStats } from "../debug/index.ts";
import { type Allocator, type AllocatorBooks, type ChainsByHome, checkAllocator } from "../memalloc/index.ts";
import { checkCache, forEachBlock, type MemcgCounters, slabsByCache, slabsInQueues } from "../mm/index.ts";
import {
  CACHE_OBJECTS,
  CACHE_PAGES,
  CACHE_PERCPU,
  CACHE_UNIT_WORDS,
  SLAB_CPU_PAGE,
  SLAB_CPU_REFILLS,
  USE_LARGE,
} from "../mm/layout.ts";
import { chainsOf, type System, slabCaches } from "./system.ts";

/** An allocator, over all CPUs. */
export interface AllocatorStats {
  readonly name: string;
  readonly kind: "any" | "fixed";
  /** Its objects name who allocated them. */
  readonly owned: boolean;
  /** true: it was destroyed, and its memory is on its way back. Another one may have its name. */
  readonly draining: boolean;
  /** How often a CPU's cache was refilled, and trimmed. */
  readonly refills: number;
  readonly trims: number;
  /** Objects taken from slab and not given back; of these, `listed` are on lists, the others out. */
  readonly taken: number;
  readonly listed: number;
  /** Of the listed ones, those that wait for a grace period. */
  readonly waiting: number;
}

/** Grace periods. */
export interface RcuStats {
  /** RCU periods, and steps of tasks trace, that have ended. */
  readonly periods: number;
  readonly tasksTraceSteps: number;
  /** CPUs that are inside read sections: of RCU, and how many of tasks trace. */
  readonly readers: readonly {
    readonly cpu: number;
    readonly name: string;
    readonly rcu: boolean;
    readonly tasksTrace: number;
  }[];
  /** Bytes of freed objects, of all allocators, that wait for a grace period. */
  readonly waitingBytes: number;
}

/** A slab cache. */
export interface SlabStats {
  readonly name: string;
  readonly unitBytes: number;
  readonly slabs: number;
  readonly pages: number;
  /** Objects in all slabs; `used` of them are not free. */
  readonly objects: number;
  readonly used: number;
  /** How often a CPU's private list was refilled. */
  readonly refills: number;
}

/** A CPU and its private stock. */
export interface CpuStats extends CpuInfo {
  /** Bytes of objects on this CPU's lists, of all allocators. */
  readonly listedBytes: number;
  /** Pages of the slabs that this CPU is allocating from. */
  readonly currentPages: number;
}

/** A group, and those below it. */
export interface GroupStats extends MemcgCounters {
  readonly name: string;
  /** true: it was dropped, and goes when nothing is left of it. Another one may have its name. */
  readonly dropped: boolean;
  /** Names of the allocators that are charged to it. */
  readonly allocators: readonly string[];
  readonly children: readonly GroupStats[];
}

export interface HeapStats {
  readonly bytes: number;
  readonly maxCpus: number;
  /** 4 KiB pages behind the tables: all, in use, the most that ever were in use. */
  readonly pages: { readonly total: number; readonly held: number; readonly peak: number };
  readonly cpus: readonly CpuStats[];
  readonly allocators: readonly AllocatorStats[];
  /** Those that have no parent. */
  readonly groups: readonly GroupStats[];
  readonly slabs: readonly SlabStats[];
  readonly rcu: RcuStats;
  /** kmalloc blocks of whole pages. */
  readonly large: { readonly blocks: number; readonly pages: number };
  /** Of debug heaps. */
  readonly debug?: DebugStats;
}

/** Exact while no thread is inside a call; a moment's picture otherwise. Walks all slabs: not for a hot path. */
export function stats(system: System): HeapStats {
  const { pages } = system;
  const chains = chainsOf(system, ignore);
  const audited = audit(system, chains);
  return {
    bytes: system.arena.geometry.bytes,
    maxCpus: system.arena.geometry.maxCpus,
    pages: { total: pages.total - system.firstPage, held: pages.held, peak: pages.peak },
    cpus: system.cpus.list().map((info) => cpuStats(system, chains, info)),
    allocators: audited.map((each) => allocatorStats(system, each)),
    groups: groupsUnder(system, 0, new Set()),
    slabs: slabStats(system),
    rcu: rcuStats(system, audited),
    large: largeStats(system),
    ...(system.debug === undefined ? {} : { debug: system.debug.stats() }),
  };
}

function ignore(): void {}

/** An allocator, and what it holds over all CPUs. */
interface Audited {
  readonly allocator: Allocator;
  readonly books: AllocatorBooks;
}

function audit({ pages, areas, allocators }: System, chains: ChainsByHome): Audited[] {
  return allocators.list().map((allocator) => ({
    allocator,
    books: checkAllocator(pages, areas, allocator, chains, ignore),
  }));
}

function allocatorStats(system: System, { allocator, books }: Audited): AllocatorStats {
  const { refills, trims, taken, listed, waiting } = books;
  return {
    name: allocator.name,
    kind: allocator.size === 0 ? "any" : "fixed",
    owned: allocator.isOwned,
    draining: !system.registry.isLive(allocator.ref),
    refills,
    trims,
    taken,
    listed,
    waiting,
  };
}

/** `seen`: groups that are listed, which are not again. */
function groupsUnder(system: System, parent: number, seen: Set<number>): GroupStats[] {
  const { memcgs } = system;
  const isNext = ({ record }: Ref): boolean => {
    if (seen.has(record) || memcgs.stock.charges.parentOf(record) !== parent) return false;
    seen.add(record);
    return true;
  };
  return memcgs
    .list()
    .filter(isNext)
    .map((ref) => ({
      name: memcgs.nameOf(ref.record),
      ...memcgs.counters(ref),
      dropped: !memcgs.isLive(ref),
      allocators: system.allocators
        .list()
        .filter(({ memcg }) => memcg === ref.record)
        .map(({ name }) => name),
      children: groupsUnder(system, ref.record, seen),
    }));
}

function slabStats(system: System): SlabStats[] {
  const { pages, areas, directory } = system;
  const caches = slabCaches(system);
  const slabs = slabsByCache(
    pages,
    system.firstPage,
    caches.map(({ cache }) => cache),
    ignore,
  );
  const waiting = slabsInQueues(pages, system.callbacks, ignore);
  return caches.map(({ name, cache }) => {
    const ofCache = slabs.get(cache) ?? [];
    return {
      name,
      unitBytes: directory.load(cache, CACHE_UNIT_WORDS) * 4,
      slabs: ofCache.length,
      pages: ofCache.length * directory.load(cache, CACHE_PAGES),
      objects: ofCache.length * directory.load(cache, CACHE_OBJECTS),
      used: checkCache(pages, areas, cache, ofCache, waiting, ignore),
      refills: sumPerCpu(system, cache, SLAB_CPU_REFILLS),
    };
  });
}

function sumPerCpu(system: System, cache: number, field: number): number {
  let sum = 0;
  for (let cpu = 0; cpu < system.areas.maxCpus; cpu++) sum += perCpu(system, cache, cpu, field);
  return sum;
}

function perCpu(system: System, cache: number, cpu: number, field: number): number {
  const { areas, directory } = system;
  return peek(areas.words, areas.areaOf(cpu) + directory.load(cache, CACHE_PERCPU) + field);
}

function cpuStats(system: System, chains: ChainsByHome, info: CpuInfo): CpuStats {
  let listedBytes = 0;
  for (const allocator of system.allocators.list()) {
    listedBytes += checkAllocator(
      system.pages,
      system.areas,
      allocator,
      chains,
      ignore,
      info.cpu,
    ).listedBytes;
  }
  let currentPages = 0;
  for (const { cache } of slabCaches(system)) {
    if (perCpu(system, cache, info.cpu, SLAB_CPU_PAGE) !== 0)
      currentPages += system.directory.load(cache, CACHE_PAGES);
  }
  return { ...info, listedBytes, currentPages };
}

function rcuStats({ rcu, trace, cpus }: System, audited: readonly Audited[]): RcuStats {
  const readers = cpus.list().map(({ cpu, name }) => ({
    cpu,
    name,
    rcu: rcu.section(cpu) !== 0,
    tasksTrace: trace.openOn(cpu),
  }));
  return {
    periods: rcu.periods,
    tasksTraceSteps: trace.steps,
    readers: readers.filter((reader) => reader.rcu || reader.tasksTrace > 0),
    waitingBytes: audited.reduce((sum, { books }) => sum + books.waitingBytes, 0),
  };
}

function largeStats(system: System): HeapStats["large"] {
  let blocks = 0;
  let held = 0;
  forEachBlock(system.pages, system.firstPage, (_page, kind, count) => {
    if (kind !== USE_LARGE) return;
    blocks++;
    held += count;
  });
  return { blocks, pages: held };
}
