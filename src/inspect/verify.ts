/**
 * `heap.verify()`: every invariant of every layer. A heap into which something wrote where it must not is reported: its words are
 * not trusted, its lists are walked no longer than they can be, and nothing outside is read.
 */
import { checkArena, checkLiveNames, type Report } from "../arena/index.ts";
import { checkCpus } from "../cpu/index.ts";
import { checkDebug } from "../debug/index.ts";
import { checkAllocator, checkHomes, checkOwners } from "../memalloc/index.ts";
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
import { chainsOf, type System, slabCaches } from "./system.ts";

const ALL_CPUS = -1;

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
  const holdings = checkAllocators(system, report);
  checkMemcg(system.memcgs, system.cpus, system.areas, system.chargeStock, holdings, report);
  if (system.debug !== undefined) {
    const keys = new Set(system.allocators.list().map(({ key }) => key));
    checkDebug(system.debug, system.pages, system.firstPage, keys, report);
  }
  return problems;
}

/** Returns what the allocators of each group hold. */
function checkAllocators(system: System, report: Report) {
  const { pages, areas, allocators, registry } = system;
  checkLiveNames(registry, "memalloc", "allocators", report);
  const all = allocators.list();
  const chains = chainsOf(system, report);
  checkHomes(areas, all, chains, report);
  const holdings = new Map<number, Holdings>();
  const listed = new Set<number>();
  for (const allocator of all) {
    const { takenBytes } = checkAllocator(pages, areas, allocator, chains, report, ALL_CPUS, listed);
    const before = holdings.get(allocator.memcg) ?? { units: 0, allocators: 0 };
    const units = before.units + takenBytes / UNIT_BYTES;
    holdings.set(allocator.memcg, { units, allocators: before.allocators + 1 });
  }
  return holdings;
}
