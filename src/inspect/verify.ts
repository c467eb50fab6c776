/** `heap.verify()`: every invariant of every layer. */
import { checkArena } from "../arena/index.ts";
import { checkCpus } from "../cpu/index.ts";
import { chainsInQueues, checkAllocator, checkNames } from "../memalloc/index.ts";
import { checkCache, checkPages, slabsByCache, slabsInQueues } from "../mm/index.ts";
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
  }
  checkNames(system.registry, report);
  const chains = chainsInQueues(system.pages, system.callbacks, report);
  for (const allocator of system.allocators.list()) {
    checkAllocator(system.pages, system.areas, allocator, chains, report);
  }
  return problems;
}
