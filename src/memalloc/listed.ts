/**
 * What is on the lists of a cache: walks that trust nothing. Each step is checked, what is wrong is reported, and no walk
 * is longer than there are objects. For those who inspect, or mend, a heap while no call is under way.
 */
import { peek } from "#primitive";
import type { Report } from "../arena/index.ts";
import { isObjectStart, isOffset, type Pages, slabCacheOf, slabPageAt } from "../mm/index.ts";
import type { Callbacks } from "../rcu/index.ts";
import { chainFirst } from "./chain.ts";
import {
  FREE_BY_RCU_TTRACE,
  FREE_LIST,
  FREE_LIST_EXTRA,
  INBOX,
  KIND_LAST,
  KIND_RCU,
  KIND_TRACE,
  OBJECT_CHECK,
  OBJECT_HOME,
  RCU_BATCH,
  RCU_BATCH_EXTRA,
  SPARE,
} from "./layout.ts";

/** Chains that wait in queues: their links, by the cache that is their home. */
export type ChainsByHome = ReadonlyMap<number, readonly number[]>;

/**
 * Looks through all queues. Exact while no call is under way. `moreKinds`: of callbacks that are chains; `held`: links of
 * chains that are in no queue.
 */
export function chainsInQueues(
  pages: Pages,
  callbacks: Callbacks,
  report: Report,
  moreKinds: readonly number[] = [],
  held: readonly number[] = [],
): ChainsByHome {
  const chains = new Map<number, number[]>();
  const seen = new Set<number>();
  const visit = (link: number): boolean => {
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
  };
  for (const kind of [KIND_RCU, KIND_TRACE, KIND_LAST, ...moreKinds]) callbacks.forEachItem(kind, visit);
  held.forEach(visit);
  return chains;
}

/** As chainHome, of a chain that may lead anywhere. */
function homeOf({ words }: Pages, first: number): number {
  const second = peek(words, first + OBJECT_HOME);
  return second < 0 ? ~second : peek(words, second + OBJECT_CHECK);
}

/** A cache whose lists are walked. */
export interface Walk {
  readonly pages: Pages;
  readonly cache: number;
  /** Where its objects come from. */
  readonly slabCache: number;
  /** Links of the chains in queues whose home this is. */
  readonly chains: readonly number[];
  /** The cache, for the report. */
  readonly where: string;
  /** Nodes that were found on some list. */
  readonly seen: Set<number>;
  readonly report: Report;
}

/** How many objects are where. */
export interface Listed {
  readonly free: number;
  readonly batch: number;
  readonly extra: number;
  /** In the inbox. */
  readonly given: number;
  /** In chains that wait in queues. */
  readonly queued: number;
  /** In chains that are home. */
  readonly home: number;
  /** Chains whose home this is, wherever they are: what CHAINS is to say. */
  readonly chains: number;
}

/** Walks all lists of a cache, and the chains in queues whose home it is. */
export function walkLists(walk: Walk): Listed {
  const { words } = walk.pages;
  const inbox = peek(words, walk.cache + INBOX);
  const free = walkPrivate(walk, FREE_LIST) + walkSpare(walk);
  const batch = walkPrivate(walk, RCU_BATCH);
  const extra = walkExtras(walk, FREE_LIST_EXTRA) + walkExtras(walk, RCU_BATCH_EXTRA);
  const given = inbox > 0 ? walkChain(walk, inbox) : 0;
  const queued = walk.chains.reduce((sum, link) => sum + walkChain(walk, link), 0);
  const { objects, chains } = walkHome(walk);
  const elsewhere = walk.chains.length + (inbox > 0 ? 1 : 0);
  return { free, batch, extra, given, queued, home: objects, chains: chains + elsewhere };
}

/** Objects that are on some list of the cache. */
export function sumOf({ free, batch, extra, given, queued, home }: Listed): number {
  return free + batch + extra + given + queued + home;
}

/** Length of the spare. Where somebody died who moved it, it is the free list, too. */
function walkSpare(walk: Walk): number {
  const { words } = walk.pages;
  return peek(words, walk.cache + SPARE) === peek(words, walk.cache + FREE_LIST)
    ? 0
    : walkPrivate(walk, SPARE);
}

/** Length of a private list. */
function walkPrivate(walk: Walk, list: number): number {
  const { words } = walk.pages;
  let node = peek(words, walk.cache + list);
  if (!isNode(walk, node)) return 0;
  const length = node === 0 ? 0 : peek(words, node + OBJECT_CHECK);
  if (length < 0) {
    walk.report(`memalloc: ${walk.where}: list of depth ${length}`);
    return 0;
  }
  for (let depth = length; depth > 0; depth--) {
    const next = peek(words, node + OBJECT_HOME);
    const wanted = depth - 1;
    if (!isNode(walk, next) || (next === 0 ? 0 : peek(words, next + OBJECT_CHECK)) !== wanted) {
      walk.report(`memalloc: ${walk.where}: free list: the object after word ${node} is not ${wanted} deep`);
      return length - wanted;
    }
    node = next;
  }
  return length;
}

/** Length of an extra list. */
function walkExtras(walk: Walk, list: number): number {
  let count = 0;
  for (let link = peek(walk.pages.words, walk.cache + list); link !== 0; count++) {
    if (chainFirst(link) === 0) reportLost(walk, 0);
    if (chainFirst(link) === 0 || !isNode(walk, chainFirst(link))) return count;
    link = peek(walk.pages.words, link);
  }
  return count;
}

/** The chains that are home. */
function walkHome(walk: Walk): { objects: number; chains: number } {
  const { words } = walk.pages;
  let objects = 0;
  let chains = 0;
  for (let link = peek(words, walk.cache + FREE_BY_RCU_TTRACE); link !== 0; link = peek(words, link)) {
    const length = walkChain(walk, link);
    if (length === 0) break;
    objects += length;
    chains++;
  }
  return { objects, chains };
}

/** Length of a chain, up to the first thing that is wrong with it. */
function walkChain(walk: Walk, link: number): number {
  let count = 0;
  let node = chainFirst(link);
  if (node <= 0) reportLost(walk, node);
  for (; node > 0; count++) {
    if (!isNode(walk, node)) return count;
    node = peek(walk.pages.words, node + OBJECT_HOME);
  }
  return count;
}

/** 0 is fine; otherwise an object of the right slab must start there, and not have been seen before. */
function isNode(walk: Walk, node: number): boolean {
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
