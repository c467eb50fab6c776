/**
 * What must hold of the objects of a debug heap while no call is under way:
 *
 *     what an allocator has handed out has a record, or none yet: then it is in the hand of a thread that died
 *     the zones of live objects, and of those that wait for readers, are as they were made
 *     what is in quarantine has a record that says so, and holds what it was filled with
 */
import { peek } from "#primitive";
import type { Report } from "../arena/index.ts";
import { forEachBlock, isPercpuCache, type Pages, slabCacheOf } from "../mm/index.ts";
import { CACHE_OBJECTS, MAX_OBJECTS, USE_SLAB } from "../mm/layout.ts";
import type { Debug } from "./debug.ts";
import { keyInHeader } from "./header.ts";
import { FRONT_BYTES, STATE_LIVE, STATE_QUARANTINED, STATE_WAITING } from "./layout.ts";
import { blockOf, isGuarded, type Memory, memoryAt, objectIn, slabObject } from "./placement.ts";
import { isRecord, isUnmade, keyOf, stateOf } from "./record.ts";

/** A place in a program, and how many objects it allocated that are still out. */
export interface Birthplace {
  readonly place: string;
  readonly objects: number;
}

/** Looks at every object. `firstPage`: the first page behind the tables; `keys`: those of all allocators. */
export function checkDebug(
  debug: Debug,
  pages: Pages,
  firstPage: number,
  keys: ReadonlySet<number>,
  report: Report,
): void {
  forEachMemory(pages, firstPage, (memory) => checkMemory(debug, pages, memory, keys, report));
  for (const { p, isKept } of debug.quarantined) {
    const memory = memoryAt(pages, p);
    if (memory === undefined) report(`debug: a quarantine has ${p}, where no object is`);
    else if (!isRecord(pages.words, p) || stateOf(pages.words, p) !== STATE_QUARANTINED)
      report(debug.reports.lostRecord("debug: ", p, debug.check.neighbour(memory)).message);
    else checkObject(debug, p, memory, isKept, report);
  }
}

function checkMemory(
  debug: Debug,
  pages: Pages,
  memory: Memory,
  keys: ReadonlySet<number>,
  report: Report,
): void {
  const p = objectIn(pages, memory);
  const state = p === 0 ? 0 : stateOf(pages.words, p);
  if (state === STATE_LIVE || state === STATE_WAITING) checkObject(debug, p, memory, true, report);
  if (p !== 0 || memory.cache === 0 || !isGuarded(pages, memory.cache)) return;
  const isOut =
    keys.has(keyInHeader(pages.words, memory.start)) && !isUnmade(pages.words, memory.start + FRONT_BYTES);
  if (!isOut) return;
  const lost = debug.reports.lostRecord("debug: ", memory.start + FRONT_BYTES, debug.check.neighbour(memory));
  report(lost.message);
}

function checkObject(debug: Debug, p: number, memory: Memory, isKept: boolean, report: Report): void {
  const damage = debug.reports.damage(p, memory, isKept);
  if (damage !== "") report(debug.reports.corrupt("debug: ", p, damage).message);
}

/** Where the live objects of an allocator were allocated, and how many at each place; the most first. */
export function birthplaces(debug: Debug, pages: Pages, firstPage: number, key: number): Birthplace[] {
  const counts = new Map<string, number>();
  forEachMemory(pages, firstPage, (memory) => {
    const p = objectIn(pages, memory);
    if (p === 0 || stateOf(pages.words, p) !== STATE_LIVE || keyOf(pages.words, p) !== key) return;
    const place = debug.reports.allocation(p);
    counts.set(place, (counts.get(place) ?? 0) + 1);
  });
  const places = [...counts].map(([place, objects]) => ({ place, objects }));
  return places.sort((a, b) => b.objects - a.objects);
}

/** Every slab object, in use or not, and every block of pages; not those that have a part on each CPU. */
function forEachMemory(pages: Pages, firstPage: number, visit: (memory: Memory) => void): void {
  forEachBlock(pages, firstPage, (page, kind, count) => {
    if (kind !== USE_SLAB) {
      visit(blockOf(page, count));
      return;
    }
    const cache = slabCacheOf(pages, page);
    if (isPercpuCache(pages.words, cache)) return;
    const objects = Math.min(peek(pages.words, cache + CACHE_OBJECTS), MAX_OBJECTS);
    for (let i = 0; i < objects; i++) visit(slabObject(pages, page, i));
  });
}
