/**
 * What must hold of caches while no call is under way anywhere.
 *
 *     depth(node) == depth(next) + 1, depth(0) == 0; HAND idle or closed
 *     free list + spare <= high + a batch, unless work is pending; LOW says what the spare is short of USUAL_LOW
 *     every listed object lies in a slab of the cache's unit size, starts there, and is listed once (R4)
 *     RCU batch shorter than a chain, in the same form; extra lists empty; closed caches have no private lists
 *     CHAINS == chains on FREE_BY_RCU_TTRACE + in the inbox + in queues with this home
 *     taken from slab == listed + out (R5: `out` is what the program holds)
 *     an object that names an owner is out
 */
import { peek } from "#primitive";
import type { Report } from "../arena/index.ts";
import { PAGE_WORDS } from "../arena/layout.ts";
import type { PercpuAreas } from "../cpu/index.ts";
import { WORK_PENDING } from "../cpu/layout.ts";
import { heldBytes, type Pages } from "../mm/index.ts";
import { CACHE_OBJECTS, CACHE_UNIT_WORDS, USE_COUNT_SHIFT } from "../mm/layout.ts";
import { LINE_WORDS } from "../sync/layout.ts";
import type { Allocator } from "./description.ts";
import {
  BATCH,
  CACHE_WORDS,
  CHAINS,
  FREE_LIST,
  HAND,
  HAND_CLOSED,
  HAND_IDLE,
  HIGH,
  KEY,
  LOW,
  MAX_FIXED_PAYLOAD,
  MAX_OWNED_PAYLOAD,
  MAX_PERCPU_PAYLOAD,
  OBJECT_CHECK,
  OBJECT_OWNER,
  OPEN,
  RCU_BATCH,
  REFILLS,
  SLAB_CACHE,
  SPARE,
  TAKEN,
  TRIMS,
  UNIT_WORDS,
  USUAL_LOW,
  WORK,
} from "./layout.ts";
import { type ChainsByHome, type Walk, walkLists } from "./listed.ts";

/** What an allocator holds, over all CPUs. Exact while no call is under way. */
export interface AllocatorBooks {
  refills: number;
  trims: number;
  /** Objects taken from slab and not given back. */
  taken: number;
  /** Bytes that slab holds for them. */
  takenBytes: number;
  /** Of these, objects on lists. The others are out: taken - listed. */
  listed: number;
  /** Bytes that slab holds for those that are out. */
  outBytes: number;
  /** Of the listed ones, those that a grace period must end for before they are used again. */
  waiting: number;
  waitingBytes: number;
  /** Bytes of the listed ones, headers included. */
  listedBytes: number;
}

/** Reports chains in queues whose home is no cache of any allocator. */
export function checkHomes(
  areas: PercpuAreas,
  allocators: readonly Allocator[],
  chains: ChainsByHome,
  report: Report,
): void {
  const homes = new Set(chains.keys());
  if (homes.size === 0) return;
  for (const { percpu, unitSizes } of allocators) {
    for (let cpu = 0; cpu < areas.maxCpus; cpu++) {
      const first = areas.areaOf(cpu) + percpu;
      for (let i = 0; i < unitSizes.length; i++) homes.delete(first + i * CACHE_WORDS);
    }
  }
  for (const home of homes)
    report(`memalloc: a chain in a queue says that its home is at ${home}, where no cache is`);
}

/** More objects than any list has. */
const MAX_DEPTH = 2 ** 28;

/** Walks an allocator's caches on one CPU, or on all; reports what is broken. `seen`: objects that are on lists already. */
export function checkAllocator(
  pages: Pages,
  areas: PercpuAreas,
  allocator: Allocator,
  chains: ChainsByHome,
  report: Report,
  onlyCpu = -1,
  seen = new Set<number>(),
): AllocatorBooks {
  const books = {
    ...{ refills: 0, trims: 0, taken: 0, takenBytes: 0, outBytes: 0 },
    ...{ listed: 0, waiting: 0, waitingBytes: 0, listedBytes: 0 },
  };
  if (!recordIsSound(areas, allocator)) {
    report(`memalloc: "${allocator.name}": its record is damaged`);
    return books;
  }
  for (let cpu = 0; cpu < areas.maxCpus; cpu++) {
    if (onlyCpu >= 0 && cpu !== onlyCpu) continue;
    allocator.unitSizes.forEach((unitBytes, i) => {
      const cache = areas.areaOf(cpu) + allocator.percpu + i * CACHE_WORDS;
      const where = `"${allocator.name}" ${unitBytes} on CPU ${cpu}`;
      const slabCache = allocator.slabCaches[i];
      const walk = { pages, cache, slabCache, chains: chains.get(cache) ?? [], where, seen, report };
      const { listed, waiting } = checkCache(walk, allocator.key, unitBytes);
      books.refills += peek(pages.words, cache + REFILLS);
      books.trims += peek(pages.words, cache + TRIMS);
      const taken = peek(pages.words, cache + TAKEN);
      books.taken += taken;
      const held = heldBytes(pages.words, slabCache);
      books.takenBytes += taken * held;
      books.outBytes += (taken - listed) * held;
      books.listed += listed;
      books.waiting += waiting;
      books.waitingBytes += waiting * unitBytes;
      books.listedBytes += listed * unitBytes;
    });
  }
  if (onlyCpu < 0 && books.listed > books.taken) {
    report(`memalloc: "${allocator.name}" has ${books.listed} objects on lists, took only ${books.taken}`);
  }
  return books;
}

/** The slabs of a slab cache whose objects have owners. */
export function checkOwners(pages: Pages, cache: number, slabs: readonly number[], report: Report): void {
  const unit = peek(pages.words, cache + CACHE_UNIT_WORDS);
  const objects = peek(pages.words, cache + CACHE_OBJECTS);
  for (const page of slabs) {
    const words = (pages.use(page) >>> USE_COUNT_SHIFT) * PAGE_WORDS;
    // else its sizes are damaged, and checkCache has said so
    if (unit <= 0 || objects * unit > words) continue;
    let node = pages.address(page);
    for (let left = objects; left > 0; left--, node += unit) {
      if (peek(pages.words, node + OBJECT_OWNER) !== 0 && peek(pages.words, node + OBJECT_CHECK) >= 0)
        report(`memalloc: the object at word ${node} names an owner, and is free`);
    }
  }
}

/** True if there are caches where the record says, and slab caches for their sizes. */
function recordIsSound(
  areas: PercpuAreas,
  { size, isPercpu, isOwned, percpu, unitSizes }: Allocator,
): boolean {
  const max = isPercpu ? MAX_PERCPU_PAYLOAD : MAX_FIXED_PAYLOAD;
  // 0 is any size
  const least = isPercpu || isOwned ? 1 : 0;
  const isSize = size >= least && size <= (isOwned ? MAX_OWNED_PAYLOAD : max) && !(isPercpu && isOwned);
  const end = percpu + unitSizes.length * CACHE_WORDS;
  return isSize && percpu > 0 && percpu % LINE_WORDS === 0 && end <= areas.areaWords;
}

/** Returns how many objects are on the cache's lists, and how many of these wait for a grace period. */
function checkCache(walk: Walk, key: number, unitBytes: number): { listed: number; waiting: number } {
  const { cache, where, report } = walk;
  const { words } = walk.pages;
  // a cache with another key was opened for an earlier allocator in the same place, or never
  if (peek(words, cache + KEY) !== key) {
    if (peek(words, cache + OPEN) !== 0) report(`memalloc: ${where}: open, but with another allocator's key`);
    return { listed: 0, waiting: 0 };
  }
  if (peek(words, cache + SLAB_CACHE) !== walk.slabCache)
    report(`memalloc: ${where}: the cache takes its objects from another slab cache`);
  const unit = peek(words, cache + UNIT_WORDS);
  if (unit * 4 !== unitBytes) report(`memalloc: ${where}: the cache says its unit is ${unit * 4} bytes`);
  const hand = peek(words, cache + HAND);
  if (hand !== HAND_IDLE && hand !== HAND_CLOSED)
    report(`memalloc: ${where}: a call is under way (hand ${hand})`);
  checkStock(walk);
  checkDepth(walk, RCU_BATCH, peek(words, cache + BATCH) - 1);
  const { free, batch, extra, given, queued, home, chains } = walkLists(walk);
  if (extra !== 0) report(`memalloc: ${where}: ${extra} objects on the extra lists`);
  if (hand === HAND_CLOSED && free + batch + extra + given !== 0)
    report(`memalloc: ${where}: closed, but has objects`);
  const counted = peek(words, cache + CHAINS);
  if (counted !== chains) report(`memalloc: ${where}: ${counted} chains are counted, ${chains} there`);
  const waiting = batch + extra + queued;
  return { listed: free + given + waiting + home, waiting };
}

/** The free list and the spare, by what they say of their length. */
function checkStock(walk: Walk): void {
  const { cache, where, report } = walk;
  const { words } = walk.pages;
  const batch = peek(words, cache + BATCH);
  checkDepth(walk, SPARE, batch);
  const spare = depthOf(walk, SPARE);
  const low = Math.max(peek(words, cache + USUAL_LOW) - spare, 0);
  const found = peek(words, cache + LOW);
  if (found !== low) report(`memalloc: ${where}: low is ${found}, with a spare of ${spare} it is ${low}`);
  // frees in the middle of a refill make it longer; what is above that goes home when the work is done
  const isPending = peek(words, cache + WORK + WORK_PENDING) !== 0;
  checkDepth(walk, FREE_LIST, isPending ? MAX_DEPTH : peek(words, cache + HIGH) + batch - spare);
}

/** What a private list says of its length. */
function checkDepth(walk: Walk, list: number, max: number): void {
  const depth = depthOf(walk, list);
  if (depth > max) walk.report(`memalloc: ${walk.where}: list of depth ${depth}, where ${max} is the most`);
}

function depthOf({ pages, cache }: Walk, list: number): number {
  const first = peek(pages.words, cache + list);
  return first === 0 ? 0 : peek(pages.words, first + OBJECT_CHECK);
}
