/**
 * What must hold of caches while no call is under way anywhere.
 *
 *     depth(node) == depth(next) + 1, depth(0) == 0; list <= high + 1, unless a trim is pending; HAND idle or closed
 *     every listed object lies in a slab of the cache's unit size, starts there, and is listed once (R4)
 *     RCU batch shorter than a chain, in the same form; extra lists empty; closed caches have no private lists
 *     CHAINS == chains on FREE_BY_RCU_TTRACE + in the inbox + in queues with this home
 *     taken from slab == listed + out (R5: `out` is what the program holds)
 *     an object that names an owner is out
 *
 * What the heap's words say is looked at before it is used: a record before its caches are walked, an object before its link
 * is followed. Each object is on a list once, so a walk ends after as many as there are.
 */
import { peek } from "#primitive";
import type { Report } from "../arena/index.ts";
import { PAGE_WORDS } from "../arena/layout.ts";
import type { PercpuAreas } from "../cpu/index.ts";
import { WORK_PENDING } from "../cpu/layout.ts";
import { heldBytes, isObjectStart, isOffset, type Pages, slabCacheOf, slabPageAt } from "../mm/index.ts";
import { CACHE_OBJECTS, CACHE_UNIT_WORDS, USE_COUNT_SHIFT } from "../mm/layout.ts";
import type { Callbacks } from "../rcu/index.ts";
import { LINE_WORDS } from "../sync/layout.ts";
import { chainFirst } from "./chain.ts";
import type { Allocator } from "./description.ts";
import {
  BATCH,
  CACHE_WORDS,
  CHAINS,
  FREE_BY_RCU_TTRACE,
  FREE_LIST,
  FREE_LIST_EXTRA,
  HAND,
  HAND_CLOSED,
  HAND_IDLE,
  HIGH,
  INBOX,
  KEY,
  KIND_LAST,
  KIND_RCU,
  KIND_TRACE,
  MAX_FIXED_PAYLOAD,
  MAX_OWNED_PAYLOAD,
  MAX_PERCPU_PAYLOAD,
  OBJECT_CHECK,
  OBJECT_HOME,
  OBJECT_OWNER,
  OPEN,
  RCU_BATCH,
  RCU_BATCH_EXTRA,
  REFILLS,
  SLAB_CACHE,
  TAKEN,
  TRIMS,
  UNIT_WORDS,
  WORK,
} from "./layout.ts";

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

/** Chains that wait in queues: their links, by the cache that is their home. */
export type ChainsByHome = ReadonlyMap<number, readonly number[]>;

/** Looks through all queues. Exact while no call is under way. */
export function chainsInQueues(pages: Pages, callbacks: Callbacks, report: Report): ChainsByHome {
  const chains = new Map<number, number[]>();
  const seen = new Set<number>();
  for (const kind of [KIND_RCU, KIND_TRACE, KIND_LAST]) {
    callbacks.forEachItem(kind, (link) => {
      if (seen.has(link) || !isOffset(pages, chainFirst(link) * 4)) {
        report(`memalloc: a queue of callbacks leads to word ${link}, where no chain is, or one twice`);
        return false;
      }
      seen.add(link);
      const home = homeOf(pages, chainFirst(link));
      const ofHome = chains.get(home) ?? [];
      ofHome.push(link);
      chains.set(home, ofHome);
      return true;
    });
  }
  return chains;
}

/** As chainHome, of a chain that may lead anywhere. */
function homeOf({ words }: Pages, first: number): number {
  const second = peek(words, first + OBJECT_HOME);
  return second < 0 ? ~second : peek(words, second + OBJECT_CHECK);
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
      const { key } = allocator;
      const slabCache = allocator.slabCaches[i];
      const walk = { pages, cache, key, slabCache, chains: chains.get(cache) ?? [], where, seen, report };
      const { listed, waiting } = checkCache(walk, unitBytes);
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

interface Walk {
  readonly pages: Pages;
  readonly cache: number;
  /** Where its objects come from. */
  readonly slabCache: number;
  /** The allocator's key. */
  readonly key: number;
  /** Links of the chains in queues whose home this is. */
  readonly chains: readonly number[];
  readonly where: string;
  readonly seen: Set<number>;
  readonly report: Report;
}

/** Returns how many objects are on the cache's lists, and how many of these wait for a grace period. */
function checkCache(walk: Walk, unitBytes: number): { listed: number; waiting: number } {
  const { cache, where, report } = walk;
  const { words } = walk.pages;
  // a cache with another key was opened for an earlier allocator in the same place, or never
  if (peek(words, cache + KEY) !== walk.key) {
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
  // frees in nested contexts, and before the end of a turn, make it longer; then a trim is pending
  const isPending = peek(words, cache + WORK + WORK_PENDING) !== 0;
  const free = checkFreeList(walk, FREE_LIST, isPending ? MAX_DEPTH : peek(words, cache + HIGH) + 1);
  const batch = checkFreeList(walk, RCU_BATCH, peek(words, cache + BATCH) - 1);
  const extra = checkExtras(walk, FREE_LIST_EXTRA) + checkExtras(walk, RCU_BATCH_EXTRA);
  if (extra !== 0) report(`memalloc: ${where}: ${extra} objects on the extra lists`);
  const inbox = peek(words, cache + INBOX);
  const given = inbox > 0 ? checkChain(walk, inbox) : 0;
  if (hand === HAND_CLOSED && free + batch + extra + given !== 0)
    report(`memalloc: ${where}: closed, but has objects`);
  const waiting = batch + extra + walk.chains.reduce((sum, link) => sum + checkChain(walk, link), 0);
  return { listed: free + given + waiting + checkHome(walk), waiting };
}

/** Length of a private list, which may be `max`. */
function checkFreeList(walk: Walk, list: number, max: number): number {
  const { words } = walk.pages;
  let node = peek(words, walk.cache + list);
  if (!checkNode(walk, node)) return 0;
  const length = node === 0 ? 0 : peek(words, node + OBJECT_CHECK);
  if (length < 0 || length > max) {
    walk.report(`memalloc: ${walk.where}: list of depth ${length}, where ${max} is the most`);
    return 0;
  }
  for (let depth = length; depth > 0; depth--) {
    const next = peek(words, node + OBJECT_HOME);
    const wanted = depth - 1;
    if (!checkNode(walk, next) || (next === 0 ? 0 : peek(words, next + OBJECT_CHECK)) !== wanted) {
      walk.report(`memalloc: ${walk.where}: free list: the object after word ${node} is not ${wanted} deep`);
      return length - wanted;
    }
    node = next;
  }
  return length;
}

/** Length of an extra list. */
function checkExtras(walk: Walk, list: number): number {
  let count = 0;
  for (let link = peek(walk.pages.words, walk.cache + list); link !== 0; count++) {
    if (chainFirst(link) === 0) reportLost(walk, 0);
    if (chainFirst(link) === 0 || !checkNode(walk, chainFirst(link))) return count;
    link = peek(walk.pages.words, link);
  }
  return count;
}

/** Objects of the chains that are home. */
function checkHome(walk: Walk): number {
  const { words } = walk.pages;
  let objects = 0;
  let chains = walk.chains.length + (peek(words, walk.cache + INBOX) > 0 ? 1 : 0);
  for (let link = peek(words, walk.cache + FREE_BY_RCU_TTRACE); link !== 0; link = peek(words, link)) {
    const length = checkChain(walk, link);
    if (length === 0) break;
    objects += length;
    chains++;
  }
  const counted = peek(words, walk.cache + CHAINS);
  if (counted !== chains)
    walk.report(`memalloc: ${walk.where}: ${counted} chains are counted, ${chains} there`);
  return objects;
}

/** Length of a chain, up to the first thing that is wrong with it. */
function checkChain(walk: Walk, link: number): number {
  let count = 0;
  let node = chainFirst(link);
  if (node <= 0) reportLost(walk, node);
  for (; node > 0; count++) {
    if (!checkNode(walk, node)) return count;
    node = peek(walk.pages.words, node + OBJECT_HOME);
  }
  return count;
}

/** 0 is fine; otherwise an object of the right slab must start there, and not have been seen before. */
function checkNode(walk: Walk, node: number): boolean {
  if (node === 0) return true;
  const { pages, slabCache, where, seen, report } = walk;
  const page = isOffset(pages, node * 4) ? slabPageAt(pages, node) : 0;
  // in this order: a slab that says it is of a cache that is none has no unit
  const right = page !== 0 && slabCacheOf(pages, page) === slabCache && isObjectStart(pages, page, node);
  if (!right) reportLost(walk, node);
  else if (seen.has(node)) report(`memalloc: ${where}: the object at word ${node} is on a list twice`);
  const fresh = right && !seen.has(node);
  seen.add(node);
  return fresh;
}

function reportLost({ where, report }: Walk, node: number): void {
  report(`memalloc: ${where}: a list leads to word ${node}, where no such object starts`);
}
