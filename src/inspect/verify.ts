/** `heap.verify()`: every invariant of every layer. */
import { checkArena, checkLiveNames } from "../arena/index.ts";
import { checkCpus } from "../cpu/index.ts";
import { chainsInQueues, checkAllocator, checkOwners } from "../memalloc/index.ts";
import {
  checkCache,
  checkMemcg,
  checkPages,
  type Holdings,
  hasOwners,
  slabsByCache,
  slabsInQueues,
} from "../mm/index.ts";
import { UNIT_BYTES } from "../mm/layout.ts";
import { checkRcu } from "../rcu/index.ts";
import { MAX_PROBLEMS } from "./layout.ts";
import { type System, slabCaches } from "./system.ts";

/** One line for each broken invariant, the first 100. Exact while no thread is inside a call. */
export function verify(system: System): string[] {
  const problems: string[] = [];
  const report = (problem: string) => {
    if (problems.length < MAX_PROBLEMS) problems.push(problem);
  };
  checkArena(system.arena, system.directory, report);
  checkCpus(system.cpus, system.areas, report);
  checkRcu(system.rcuPlace, system.cpus, system.areas, report);
  checkPages(system.pages, system.firstPage, report);
  const caches = slabCaches(system).map(({ cache }) => cache);
  const waiting = slabsInQueues(system.pages, system.callbacks, report);
  for (const [cache, slabs] of slabsByCache(system.pages, system.firstPage, caches, report)) {
    checkCache(system.pages, system.areas, cache, slabs, waiting, report);
    if (hasOwners(system.pages.words, cache)) checkOwners(system.pages, cache, slabs, report);
  }
  checkLiveNames(system.registry, "memalloc", "allocators", report);
  const chains = chainsInQueues(system.pages, system.callbacks, report);
  const holdings = new Map<number, Holdings>();
  for (const allocator of system.allocators.list()) {
    const { takenBytes } = checkAllocator(system.pages, system.areas, allocator, chains, report);
    const { units, allocators } = holdings.get(allocator.memcg) ?? { units: 0, allocators: 0 };
    holdings.set(allocator.memcg, { units: units + takenBytes / UNIT_BYTES, allocators: allocators + 1 });
  }
  checkMemcg(system.memcgs, system.cpus, system.areas, system.chargeStock, holdings, report);
  return problems;
}
