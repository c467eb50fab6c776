/**
 * What a CPU that died left of its part of a slab cache, put right, so that this part can be used and flushed as before.
 *
 * Its current slab is its own until then: others push onto the shared list, and nobody takes. Every step that moves the
 * private list to the shared one, or back, leaves the private list named until it is over, so the objects of both are
 * those that have not been moved: a private list that begins on the shared one, or runs onto it, ends there.
 */
import { loadAcquire, readPrivate, type Words, writePrivate } from "#primitive";
import {
  CACHE_LINK,
  CACHE_OBJECTS,
  CACHE_UNIT_WORDS,
  DESC_STATE,
  SLAB_CPU_FREE_LIST,
  SLAB_CPU_LOCK,
  SLAB_CPU_PAGE,
} from "./layout.ts";
import type { Pages } from "./pages.ts";
import { firstOf } from "./slab-state.ts";

/** `local`: a dead CPU's words for the cache, which are the caller's now. */
export function settleSlabCpu(pages: Pages, cache: number, local: number): void {
  const { words } = pages;
  const page = readPrivate(words, local + SLAB_CPU_PAGE);
  const first = readPrivate(words, local + SLAB_CPU_FREE_LIST);
  if (page !== 0 && first !== 0) cutOff(words, cache, local, sharedList(pages, cache, page));
  writePrivate(words, local + SLAB_CPU_LOCK, 0);
}

/** Ends the private list where the shared one begins. */
function cutOff(words: Words, cache: number, local: number, shared: ReadonlySet<number>): void {
  const link = readPrivate(words, cache + CACHE_LINK);
  let from = local + SLAB_CPU_FREE_LIST;
  for (let left = readPrivate(words, cache + CACHE_OBJECTS); left > 0; left--) {
    const object = readPrivate(words, from);
    if (object === 0) return;
    if (shared.has(object)) {
      writePrivate(words, from, 0);
      return;
    }
    from = object + link;
  }
}

/** The objects on a slab's shared list. More may come meanwhile, in front of these. */
function sharedList(pages: Pages, cache: number, page: number): ReadonlySet<number> {
  const { words } = pages;
  const link = readPrivate(words, cache + CACHE_LINK);
  // pairs with the CAS in Slab.pushShared: makes the links readable
  const first = firstOf(loadAcquire(words, pages.descriptor(page) + DESC_STATE));
  const listed = new Set<number>();
  if (first === 0) return listed;
  let object = pages.address(page) + (first - 1) * readPrivate(words, cache + CACHE_UNIT_WORDS);
  for (let left = readPrivate(words, cache + CACHE_OBJECTS); left > 0 && object !== 0; left--) {
    listed.add(object);
    object = readPrivate(words, object + link);
  }
  return listed;
}
