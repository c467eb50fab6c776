/**
 * Who owns an object of an owned cache: its words OWNER and TAG, and looking at those of all objects there are.
 *
 *                  alloc          free, freeRcu    reclaim        a scan
 *     TAG          store                                          load
 *     OWNER        then store     CAS to 0         CAS to 0       load, before TAG
 *
 * OWNER goes from 0 to a claim by a store of who has the object in hand, and back by one CAS, of many that may try: who
 * wins has it in hand. An object that was never handed out has OWNER 0 from before its slab can be found. TAG is written
 * while OWNER is 0, so it belongs to any OWNER that is read before it, as long as that is still there: the CAS says so.
 *
 * Between the pop of an object and the store of OWNER, and between the CAS and the push, an object has the check word of
 * a live one and no owner: `isUnowned`. A thread that dies there leaves it so for good.
 */
import { loadAcquire, peek, storeRelease, type Words } from "#primitive";
import { type Pages, slabPageAt, walkSlabs } from "../mm/index.ts";
import { CACHE_OBJECTS, CACHE_UNIT_WORDS, DESC_CACHE } from "../mm/layout.ts";
import type { Rcu } from "../rcu/index.ts";
import { payloadOf, tagOf } from "./header.ts";
import { OBJECT_CHECK, OBJECT_OWNER, OBJECT_TAG, OWNED_BYTES, SCAN_PAGES } from "./layout.ts";

/** What the constructor of a slab does for each object. */
export function clearOwner(words: Words, node: number): void {
  // pairs with the loads of scans: whatever the page held before is no claim
  storeRelease(words, node + OBJECT_OWNER, 0);
}

/** True if the object at `node`, of a slab whose objects have owners, is neither free nor anybody's. For who looks at rest. */
export function isUnowned(words: Words, node: number): boolean {
  return peek(words, node + OBJECT_CHECK) < 0 && peek(words, node + OBJECT_OWNER) === 0;
}

/**
 * True if `p` lies in a slab of `slabCache`, whose objects have owners: elsewhere, in memory that has got another use, OWNER
 * and TAG would be words of somebody else's, and may say anything. Any context.
 */
export function isAmongOwned(pages: Pages, slabCache: number, p: number): boolean {
  const page = slabPageAt(pages, p >>> 2);
  // pairs with the store in Slab.newSlab
  return page !== 0 && loadAcquire(pages.words, pages.descriptor(page) + DESC_CACHE) === slabCache;
}

/**
 * Calls `visit` for the objects that the allocator with `key` has given out from the slabs of `slabCache`: with their
 * payload's offset, and the claim of who allocated them. Each that is out all the time, others perhaps: by then they may be
 * free, or another's. Inside a read section, which is left now and then. Any context; others may do what they like.
 */
export function forEachOwned(
  pages: Pages,
  rcu: Rcu,
  slabCache: number,
  key: number,
  visit: (p: number, owner: number) => void,
): void {
  const visitSlab = (page: number) => visitObjects(pages, slabCache, key, page, visit);
  for (let page = 1; page < pages.total; ) {
    rcu.readLock();
    try {
      page = walkSlabs(pages, slabCache, page, SCAN_PAGES, visitSlab);
    } finally {
      rcu.readUnlock();
    }
  }
}

function visitObjects(
  pages: Pages,
  slabCache: number,
  key: number,
  page: number,
  visit: (p: number, owner: number) => void,
): void {
  const { words } = pages;
  const unit = loadAcquire(words, slabCache + CACHE_UNIT_WORDS);
  let node = pages.address(page);
  for (let left = loadAcquire(words, slabCache + CACHE_OBJECTS); left > 0; left--, node += unit) {
    // pairs with the store in OwnedCache.alloc: TAG was there before
    const owner = loadAcquire(words, node + OBJECT_OWNER);
    if (owner === 0) continue;
    const p = payloadOf(node) + OWNED_BYTES;
    if (loadAcquire(words, node + OBJECT_TAG) === tagOf(p, key)) visit(p, owner);
  }
}
