/** The layers of a heap, as one thread has them. Made by heap.ts; the inspector reads through it. */
import type { Arena, Directory, Report } from "../arena/index.ts";
import { KIND_KMEM_CACHE, RECORD_DATA } from "../arena/layout.ts";
import type { Cpu, Cpus, PercpuAreas } from "../cpu/index.ts";
import type { Debug } from "../debug/index.ts";
import { KIND_DEBUG } from "../debug/layout.ts";
import { type Allocators, type ChainsByHome, chainsInQueues, type Registry } from "../memalloc/index.ts";
import type { Kmalloc, Memcgs, Pages } from "../mm/index.ts";
import type { Callbacks, Rcu, RcuPlace, TasksTrace } from "../rcu/index.ts";

export interface System {
  readonly arena: Arena;
  readonly directory: Directory;
  readonly cpus: Cpus;
  readonly cpu: Cpu;
  readonly areas: PercpuAreas;
  readonly pages: Pages;
  readonly rcuPlace: RcuPlace;
  readonly rcu: Rcu;
  readonly trace: TasksTrace;
  readonly callbacks: Callbacks;
  readonly kmalloc: Kmalloc;
  readonly allocators: Allocators;
  readonly registry: Registry;
  readonly memcgs: Memcgs;
  /** Offset of each CPU's stock of charges in its area. */
  readonly chargeStock: number;
  /** The first page behind the tables. */
  readonly firstPage: number;
  /** In debug heaps. */
  readonly debug: Debug | undefined;
}

/** The chains that wait in queues, by their homes; in debug heaps with the objects that are held back. */
export function chainsOf({ pages, callbacks, debug }: System, report: Report): ChainsByHome {
  if (debug === undefined) return chainsInQueues(pages, callbacks, report);
  return chainsInQueues(pages, callbacks, report, [KIND_DEBUG], debug.heldLinks());
}

/** The heap's slab caches, with their names: those of the sets, and the program's own. */
export function slabCaches(system: System): { name: string; cache: number }[] {
  const caches = system.kmalloc.sets.all.flatMap((set) =>
    set.sizes.map((size, i) => ({ name: `${set.name}-${size}`, cache: set.cacheAt(i) })),
  );
  for (const record of system.directory.ofKind(KIND_KMEM_CACHE)) {
    caches.push({ name: system.directory.nameOf(record), cache: record + RECORD_DATA });
  }
  return caches;
}
