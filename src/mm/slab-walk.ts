/**
 * Looks at slabs that others use, discard and make meanwhile: for caches whose slabs go back to the page allocator
 * after an RCU grace period only.
 *
 * Being inside a read section is not enough: the descriptor of a discarded slab stays as it is until its pages
 * go, so one whose grace period ended before the section began can be found in it, on its last step out. What such a
 * slab has not is an object in use. One that had, at some moment of the section, was discarded after
 * the section began, if at all: its grace period waits for it.
 */
import { loadAcquire } from "#primitive";
import { DESC_CACHE, DESC_STATE, USE_COUNT_SHIFT, USE_KIND_MASK, USE_LARGE, USE_SLAB } from "./layout.ts";
import type { Pages } from "./pages.ts";
import { inUseOf } from "./slab-state.ts";

/**
 * Calls `visit` for slabs of `cache` that have an object in use and begin at one of the `count` pages from `from` on: each that
 * has one all the time, others perhaps. The objects stay objects of the cache until the caller's RCU read section ends.
 * Returns the page to go on with. Any context.
 */
export function walkSlabs(
  pages: Pages,
  cache: number,
  from: number,
  count: number,
  visit: (page: number) => void,
): number {
  const end = Math.min(from + count, pages.total);
  let page = from;
  while (page < end) {
    const use = pages.use(page);
    const kind = use & USE_KIND_MASK;
    if (kind === USE_SLAB && isInUse(pages, cache, page)) visit(page);
    // a block that changes meanwhile has no object that was in use all the time, whatever is passed over
    page += kind === USE_SLAB || kind === USE_LARGE ? Math.max(use >>> USE_COUNT_SHIFT, 1) : 1;
  }
  return page;
}

/** True if the slab that begins at `page` is one of `cache`, and had an object in use since this call began. */
function isInUse(pages: Pages, cache: number, page: number): boolean {
  const descriptor = pages.descriptor(page);
  // in this order: with an object in use it is a living slab, of the cache that the descriptor says after; or else it has gone
  // meanwhile and one of `cache` been made, whose discard is later still. Pairs with takeShared
  if (inUseOf(loadAcquire(pages.words, descriptor + DESC_STATE)) === 0) return false;
  // pairs with newSlab
  return loadAcquire(pages.words, descriptor + DESC_CACHE) === cache;
}
