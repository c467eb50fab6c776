/**
 * What must hold of caches while no call is under way anywhere.
 *
 *     depth(node) == depth(next) + 1, depth(0) == 0; list <= high + 1; HAND idle or closed
 *     every listed object lies in a slab of the cache's unit size, starts there, and is listed once (R4)
 *     extra list empty; closed caches have nothing
 *     taken from slab == listed + out (R5: `out` is what the program holds)
 */
import { peek } from "#primitive";
import type { Report } from "../arena/index.ts";
import type { PercpuAreas } from "../cpu/index.ts";
import { isObjectStart, isOffset, type Pages, slabCacheOf, slabPageAt } from "../mm/index.ts";
import type { Allocator } from "./allocators.ts";
import { chainFirst } from "./chain.ts";
import {
  CACHE_WORDS,
  FREE_BY_RCU_TTRACE,
  FREE_LIST,
  FREE_LIST_EXTRA,
  HAND,
  HAND_CLOSED,
  HAND_IDLE,
  HIGH,
  OBJECT_CHECK,
  OBJECT_HOME,
  REFILLS,
  SLAB_CACHE,
  TAKEN,
  TRIMS,
  UNIT_WORDS,
} from "./layout.ts";

/** What an allocator holds, over all CPUs. Exact while no call is under way. */
export interface AllocatorBooks {
  refills: number;
  trims: number;
  /** Objects taken from slab and not given back. */
  taken: number;
  /** Of these, objects on lists. The others are out: taken - listed. */
  listed: number;
  /** Bytes of the listed ones, headers included. */
  listedBytes: number;
}

/** Walks an allocator's caches on one CPU, or on all; reports what is broken. */
export function checkAllocator(
  pages: Pages,
  areas: PercpuAreas,
  allocator: Allocator,
  report: Report,
  onlyCpu = -1,
): AllocatorBooks {
  const books = { refills: 0, trims: 0, taken: 0, listed: 0, listedBytes: 0 };
  const seen = new Set<number>();
  for (let cpu = 0; cpu < areas.maxCpus; cpu++) {
    if (onlyCpu >= 0 && cpu !== onlyCpu) continue;
    allocator.unitSizes.forEach((unitBytes, i) => {
      const cache = areas.areaOf(cpu) + allocator.percpu + i * CACHE_WORDS;
      const where = `"${allocator.name}" ${unitBytes} on CPU ${cpu}`;
      const walk = { pages, cache, where, seen, report };
      const listed = checkCache(walk, unitBytes);
      books.refills += peek(pages.words, cache + REFILLS);
      books.trims += peek(pages.words, cache + TRIMS);
      books.taken += peek(pages.words, cache + TAKEN);
      books.listed += listed;
      books.listedBytes += listed * unitBytes;
    });
  }
  if (onlyCpu < 0 && books.listed > books.taken) {
    report(`memalloc: "${allocator.name}" has ${books.listed} objects on lists, took only ${books.taken}`);
  }
  return books;
}

interface Walk {
  readonly pages: Pages;
  readonly cache: number;
  readonly where: string;
  readonly seen: Set<number>;
  readonly report: Report;
}

/** Returns how many objects are on the cache's lists. */
function checkCache(walk: Walk, unitBytes: number): number {
  const { cache, where, report } = walk;
  const { words } = walk.pages;
  const unit = peek(words, cache + UNIT_WORDS);
  if (unit === 0) return 0;
  if (unit * 4 !== unitBytes) report(`memalloc: ${where}: the cache says its unit is ${unit * 4} bytes`);
  const hand = peek(words, cache + HAND);
  if (hand !== HAND_IDLE && hand !== HAND_CLOSED)
    report(`memalloc: ${where}: a call is under way (hand ${hand})`);
  const free = checkFreeList(walk, peek(words, cache + HIGH));
  const extra = checkChains(walk, FREE_LIST_EXTRA);
  if (extra !== 0) report(`memalloc: ${where}: ${extra} objects on the extra list`);
  const chained = checkChains(walk, FREE_BY_RCU_TTRACE);
  if (hand === HAND_CLOSED && free + extra + chained !== 0)
    report(`memalloc: ${where}: closed, but has objects`);
  return free + extra + chained;
}

function checkFreeList(walk: Walk, high: number): number {
  const { words } = walk.pages;
  let node = peek(words, walk.cache + FREE_LIST);
  if (!checkNode(walk, node)) return 0;
  const length = node === 0 ? 0 : peek(words, node + OBJECT_CHECK);
  if (length < 0 || length > high + 1) {
    walk.report(`memalloc: ${walk.where}: free list of depth ${length}, the high watermark is ${high}`);
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

/** Length of all chains of a list. */
function checkChains(walk: Walk, list: number): number {
  const { words } = walk.pages;
  let count = 0;
  for (let link = peek(words, walk.cache + list); link !== 0; link = peek(words, link)) {
    if (!checkNode(walk, chainFirst(link))) return count;
    count++;
    for (let node = peek(words, link - OBJECT_CHECK); node !== 0; node = peek(words, node + OBJECT_HOME)) {
      if (!checkNode(walk, node)) return count;
      count++;
    }
  }
  return count;
}

/** 0 is fine; otherwise an object of the right slab must start there, and not have been seen before. */
function checkNode(walk: Walk, node: number): boolean {
  if (node === 0) return true;
  const { pages, cache, where, seen, report } = walk;
  const page = isOffset(pages, node * 4) ? slabPageAt(pages, node) : 0;
  const right =
    page !== 0 &&
    slabCacheOf(pages, page) === peek(pages.words, cache + SLAB_CACHE) &&
    isObjectStart(pages, page, node);
  if (!right) report(`memalloc: ${where}: a list leads to word ${node}, where no such object starts`);
  else if (seen.has(node)) report(`memalloc: ${where}: the object at word ${node} is on a list twice`);
  const fresh = right && !seen.has(node);
  seen.add(node);
  return fresh;
}
