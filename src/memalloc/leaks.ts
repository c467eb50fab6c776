/** What an allocator that is gone never got back: its objects still have its key in their check words. */
import { peek } from "#primitive";
import { forEachBlock, hasOwners, type Kmalloc, slabCacheOf } from "../mm/index.ts";
import { CACHE_OBJECTS, CACHE_UNIT_WORDS, USE_SLAB } from "../mm/layout.ts";
import type { Allocator } from "./description.ts";
import { checkWord, payloadOf } from "./header.ts";
import { OBJECT_CHECK, OBJECT_HOME, OWNED_BYTES } from "./layout.ts";

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
