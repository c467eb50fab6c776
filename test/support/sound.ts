/** The invariants of all layers, to be checked after each call. */
import assert from "node:assert/strict";
import { type System, verify } from "#src/inspect/index.js";
import { slabCaches } from "#src/inspect/system.js";
import { checkCache, slabsByCache, slabsInQueues } from "#src/mm/index.js";
import { CACHE_SLABS } from "#src/mm/layout.js";

/** Fails with what `verify` lists. */
export function assertSound(system: System): void {
  assert.deepEqual(verify(system), []);
}

/** Objects that are not free, of each slab cache that has any. */
export function usedObjects(system: System): Map<string, number> {
  const report = (problem: string): void => assert.fail(problem);
  const names = new Map(slabCaches(system).map(({ name, cache }) => [cache, name]));
  const used = new Map<string, number>();
  const waiting = slabsInQueues(system.pages, system.callbacks, report);
  for (const [cache, slabs] of slabsByCache(system.pages, system.firstPage, [...names.keys()], report)) {
    const count = checkCache(system.pages, system.areas, cache, slabs, waiting, report);
    if (count > 0) used.set(names.get(cache) ?? "", count);
  }
  return used;
}

/** Slabs that a cache has. */
export function slabCount(system: System, cache: number): number {
  return Atomics.load(system.arena.words, cache + CACHE_SLABS);
}

/** Pages behind the tables. */
export function managedPages(system: System): number {
  return system.pages.total - system.firstPage;
}
