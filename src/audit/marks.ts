/**
 * Mark: every object that is on some list of some allocator is looked up, and every slab, free object and block. All
 * lists are whole at every step of those that change them, since their heads are written last. So what is marked is what
 * nobody lost, and a list that is not whole is damage: `corrupt`, with nothing changed.
 */
import { peek } from "#primitive";
import { type Report, SharedHeapError } from "../arena/index.ts";
import { chainsOf, type System, slabCaches } from "../inspect/index.ts";
import { type Allocator, type Listed, sumOf, walkLists } from "../memalloc/index.ts";
import { KEY } from "../memalloc/layout.ts";
import {
  checkObjects,
  type Holders,
  hasHeaders,
  holdersOf,
  privateObjects,
  shapeIsSound,
  sharedObjects,
  slabsByCache,
  slabsInQueues,
} from "../mm/index.ts";

/** A cache of an allocator. */
export interface MarkedCache {
  readonly cache: number;
  readonly allocator: Allocator;
  /** Which of its sizes. */
  readonly bucket: number;
  readonly where: string;
  /** undefined: not opened by this allocator, so there is nothing on its lists. */
  readonly lists: Listed | undefined;
}

/** A slab cache. */
export interface MarkedSlabs {
  readonly cache: number;
  readonly name: string;
  readonly hasHeaders: boolean;
  /** First pages of its slabs, and who has which. */
  readonly slabs: readonly number[];
  readonly holders: Holders;
  /** Its objects that are on CPUs' private lists. */
  readonly privately: ReadonlySet<number>;
}

export interface Marks {
  readonly caches: readonly MarkedCache[];
  /** Objects on lists of allocators. */
  readonly listed: ReadonlySet<number>;
  readonly slabCaches: readonly MarkedSlabs[];
}

/** Errors: `corrupt`. */
export function mark(system: System): Marks {
  const problems: string[] = [];
  const report = (problem: string) => problems.push(problem);
  const marks = markAll(system, report);
  if (problems.length === 0) checkApart(system, marks, report);
  if (problems.length > 0)
    throw new SharedHeapError("corrupt", `audit() found damage, and changed nothing: ${problems.join("; ")}`);
  return marks;
}

function markAll(system: System, report: Report): Marks {
  const listed = new Set<number>();
  const slabs = markSlabs(system, report);
  return { caches: markCaches(system, listed, report), listed, slabCaches: slabs };
}

function markCaches(system: System, seen: Set<number>, report: Report): MarkedCache[] {
  const { pages, allocators, areas } = system;
  const chains = new Map(chainsOf(system, report));
  const caches = allocators.list().flatMap((allocator) =>
    Array.from({ length: areas.maxCpus }, (_, cpu) =>
      allocators.cachesOn(cpu, allocator).map((cache, bucket) => {
        const where = `"${allocator.name}" ${allocator.unitSizes[bucket]} on CPU ${cpu}`;
        const isOpened = peek(pages.words, cache + KEY) === allocator.key;
        const slabCache = allocator.slabCaches[bucket];
        const walk = { pages, cache, slabCache, chains: chains.get(cache) ?? [], where, seen, report };
        if (isOpened) chains.delete(cache);
        return { cache, allocator, bucket, where, lists: isOpened ? walkLists(walk) : undefined };
      }),
    ).flat(),
  );
  for (const home of chains.keys())
    report(`memalloc: a chain says its home is word ${home}, where no cache is`);
  return caches;
}

function markSlabs(system: System, report: Report): MarkedSlabs[] {
  const { pages, areas, callbacks, firstPage } = system;
  const known = slabCaches(system);
  const waiting = slabsInQueues(pages, callbacks, report);
  const addresses = known.map(({ cache }) => cache);
  const slabs = slabsByCache(pages, firstPage, addresses, report);
  return known.flatMap(({ cache, name }) => {
    const own = slabs.get(cache) ?? [];
    if (!shapeIsSound(pages, areas, cache)) {
      report(`slab: cache "${name}": its sizes are damaged`);
      return [];
    }
    for (const page of own) checkObjects(pages, cache, page, report);
    const holders = holdersOf(pages, areas, cache, own, waiting, report);
    const privately = new Set<number>();
    for (let cpu = 0; cpu < areas.maxCpus; cpu++) {
      for (const object of privateObjects(pages, areas, cache, cpu, report)) privately.add(object);
    }
    return [{ cache, name, hasHeaders: hasHeaders(pages.words, cache), slabs: own, holders, privately }];
  });
}

/** Nothing is on a list of an allocator and free in its slab at once. */
function checkApart({ pages }: System, marks: Marks, report: Report): void {
  const check = (object: number): void => {
    if (marks.listed.has(object))
      report(`memalloc: the object at word ${object} is on a list, and free in its slab`);
  };
  for (const { cache, slabs, privately } of marks.slabCaches) {
    privately.forEach(check);
    for (const page of slabs) sharedObjects(pages, cache, page, report).forEach(check);
  }
}

/** Objects on lists of a cache. */
export function listedOf({ lists }: MarkedCache): number {
  return lists === undefined ? 0 : sumOf(lists);
}
