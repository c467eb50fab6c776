/** `heap.leaks()`: what is out, and, where objects name their owners, whose it is. */
import { checkOptions, inRange } from "../arena/index.ts";
import { type Birthplace, birthplaces } from "../debug/index.ts";
import { type Allocator, type ChainsByHome, checkAllocator, forEachOwned } from "../memalloc/index.ts";
import { heldBytes } from "../mm/index.ts";
import { chainsOf, type System } from "./system.ts";

/** What `leaks` takes. */
export interface LeaksOptions {
  /** How many offsets of each owner's objects are listed, 0 to 1,000,000. Default 10. */
  readonly first?: number;
}

/** A thread, and what it allocated of an owned allocator and nobody has freed. */
export interface OwnerOfObjects {
  readonly cpu: number;
  readonly generation: number;
  /** The name it gave at attach; "" if another thread has its CPU by now. */
  readonly name: string;
  /** False once it has detached, or is known to be dead: then `reclaim(cpu, generation)` takes back what it had. */
  readonly isThere: boolean;
  readonly objects: number;
  /** Where the first of them are. */
  readonly offsets: readonly number[];
}

/** An allocator that has objects out. */
export interface Leak {
  readonly name: string;
  readonly kind: "any" | "fixed";
  /** Objects that were given out and are not freed. */
  readonly objects: number;
  /** Bytes that slab holds for them. */
  readonly bytes: number;
  /** Of an owned allocator: who has how many. */
  readonly owners?: readonly OwnerOfObjects[];
  /** In debug heaps: where they were allocated, the most first. Not of owned and per-CPU ones. */
  readonly allocatedAt?: readonly Birthplace[];
}

const DEFAULT_FIRST = 10;
const MAX_FIRST = 1_000_000;

/** All allocators that have objects out. Errors: `bad-option`. */
export function leaks(system: System, options: LeaksOptions): Leak[] {
  checkOptions("leaks", options);
  const { first = DEFAULT_FIRST } = options;
  inRange("first", first, 0, MAX_FIRST);
  const chains = chainsOf(system, () => {});
  return system.allocators
    .list()
    .map((allocator) =>
      allocator.isOwned ? ownedLeak(system, allocator, first) : leak(system, allocator, chains),
    )
    .filter(({ objects }) => objects > 0);
}

function leak(system: System, allocator: Allocator, chains: ChainsByHome): Leak {
  const { pages, areas, firstPage, debug } = system;
  const { taken, listed, outBytes } = checkAllocator(pages, areas, allocator, chains, () => {});
  const kind = allocator.size === 0 ? "any" : "fixed";
  // while others are inside calls, what moves may be seen twice
  const leak = {
    name: allocator.name,
    kind,
    objects: Math.max(taken - listed, 0),
    bytes: Math.max(outBytes, 0),
  } as const;
  if (debug === undefined || allocator.isPercpu) return leak;
  return { ...leak, allocatedAt: birthplaces(debug, pages, firstPage, allocator.key) };
}

function ownedLeak(system: System, allocator: Allocator, first: number): Leak {
  const { pages, rcu } = system;
  const [slabCache] = allocator.slabCaches;
  const found = new Map<number, { objects: number; offsets: number[] }>();
  let objects = 0;
  forEachOwned(pages, rcu, slabCache, allocator.key, (p, owner) => {
    const ofOwner = found.get(owner) ?? { objects: 0, offsets: [] };
    found.set(owner, ofOwner);
    if (ofOwner.objects++ < first) ofOwner.offsets.push(p);
    objects++;
  });
  const owners = [...found].map(([owner, its]) => ({ ...whoIs(system, owner), ...its }));
  owners.sort((a, b) => a.cpu - b.cpu || a.generation - b.generation);
  const bytes = objects * heldBytes(pages.words, slabCache);
  return { name: allocator.name, kind: "fixed", objects, bytes, owners };
}

function whoIs({ cpus }: System, owner: number): Omit<OwnerOfObjects, "objects" | "offsets"> {
  const { cpu, generation } = cpus.holderOf(owner);
  const name = cpus.generationOf(cpu) === generation ? cpus.nameOf(cpu) : "";
  return { cpu, generation, name, isThere: cpus.isOnline(cpu, generation) };
}
