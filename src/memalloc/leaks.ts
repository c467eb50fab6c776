/** What an allocator that is gone never got back: its objects still have its key in their check words. */
import { loadAcquire, peek, storeRelease, type Words, writePrivate } from "#primitive";
import { SharedHeapError, shown } from "../arena/index.ts";
import {
  forEachBlock,
  hasHeaders,
  hasOwners,
  heldBytes,
  isObjectStart,
  isOffset,
  type Kmalloc,
  type Pages,
  slabCacheOf,
  slabPageAt,
} from "../mm/index.ts";
import { CACHE_OBJECTS, CACHE_UNIT_WORDS, USE_SLAB } from "../mm/layout.ts";
import type { Allocator } from "./description.ts";
import { checkWord, payloadOf } from "./header.ts";
import { HEADER_BYTES, OBJECT_CHECK, OBJECT_HOME, OBJECT_OWNER, OWNED_BYTES, TAKEN } from "./layout.ts";

/** Offsets of all live objects with the allocator's key. Walks the slabs of its sizes. */
export function leakedObjects(kmalloc: Kmalloc, allocator: Allocator): number[] {
  const { pages } = kmalloc.slab;
  const caches = new Set(allocator.slabCaches);
  const leaked: number[] = [];
  forEachBlock(pages, 1, (page, kind) => {
    const cache = kind === USE_SLAB ? slabCacheOf(pages, page) : 0;
    if (!caches.has(cache)) return;
    const unit = peek(pages.words, cache + CACHE_UNIT_WORDS);
    const more = hasOwners(pages.words, cache) ? OWNED_BYTES : 0;
    for (
      let i = 0, node = pages.address(page);
      i < peek(pages.words, cache + CACHE_OBJECTS);
      i++, node += unit
    ) {
      const home = peek(pages.words, node + OBJECT_HOME);
      const p = payloadOf(node);
      if (peek(pages.words, node + OBJECT_CHECK) === checkWord(p, home, allocator.key)) leaked.push(p + more);
    }
  });
  return leaked;
}

/**
 * Gives objects back to slab whose allocator is gone. `live`: the allocators that there are. Any context. Errors, with
 * nothing changed: `bad-pointer`, for what is no such object. `freeing` is called with each before it goes: from then on it
 * may be another's.
 */
export function freeLeaked(
  { slab }: Kmalloc,
  live: readonly Allocator[],
  leaked: readonly number[],
  freeing: (p: number) => void = () => {},
): void {
  const { pages } = slab;
  const liveKeys = live.map(({ key }) => key);
  const found = new Map(leaked.map((p) => [nodeOfLeaked(pages, liveKeys, p), p]));
  for (const [node, p] of found) {
    const page = slabPageAt(pages, node);
    freeing(p);
    // free from here on, whoever looks at it
    writePrivate(pages.words, node + OBJECT_CHECK, 0);
    // pairs with the scans of owner.ts
    if (hasOwners(pages.words, slabCacheOf(pages, page))) storeRelease(pages.words, node + OBJECT_OWNER, 0);
    slab.free(slabCacheOf(pages, page), page, node);
  }
}

function nodeOfLeaked(pages: Pages, liveKeys: readonly number[], p: number): number {
  const page = isOffset(pages, p) ? slabPageAt(pages, p >>> 2) : 0;
  const cache = page === 0 ? 0 : slabCacheOf(pages, page);
  if (page !== 0 && hasHeaders(pages.words, cache)) {
    const node = (p - HEADER_BYTES - (hasOwners(pages.words, cache) ? OWNED_BYTES : 0)) >>> 2;
    if (isObjectStart(pages, page, node) && isLeaked(pages.words, liveKeys, node)) return node;
  }
  throw new SharedHeapError("bad-pointer", `freeLeaked(${shown(p)}): no object of an allocator that is gone`);
}

function isLeaked(words: Words, liveKeys: readonly number[], node: number): boolean {
  const home = peek(words, node + OBJECT_HOME);
  const check = peek(words, node + OBJECT_CHECK);
  return check < 0 && liveKeys.every((key) => check !== checkWord(payloadOf(node), home, key));
}

/** Bytes that slab gave for objects of these caches, and has not got back. `slabCaches`: where each takes them from. */
export function takenBytes(words: Words, caches: readonly number[], slabCaches: readonly number[]): number {
  return caches.reduce(
    (bytes, cache, i) => bytes + loadAcquire(words, cache + TAKEN) * heldBytes(words, slabCaches[i]),
    0,
  );
}
