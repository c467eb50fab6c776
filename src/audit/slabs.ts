/**
 * Slabs that are frozen, and nobody's: a thread died between two lists with them, or before its first slab was its
 * current one. They are let go as any thread lets one go: thawed if full, listed, or given back to the page allocator.
 */
import { fetchAdd, peek } from "#primitive";
import { PAGE_BYTES } from "../arena/layout.ts";
import type { System } from "../inspect/index.ts";
import { CACHE_PAGES, CACHE_SLABS, DESC_STATE, STATE_FROZEN } from "../mm/layout.ts";
import type { Marks } from "./marks.ts";
import type { Finding, PageRun } from "./report.ts";

/** A slab, and what lets it go. */
export interface StraySlab extends PageRun {
  readonly mend: () => void;
}

export function straySlabs({ pages, kmalloc }: System, marks: Marks): StraySlab[] {
  const isFrozen = (page: number) =>
    (peek(pages.words, pages.descriptor(page) + DESC_STATE) & STATE_FROZEN) !== 0;
  return marks.slabCaches.flatMap(({ cache, slabs, holders }) =>
    slabs
      .filter((page) => isFrozen(page) && !holders.has(page))
      .map((page) => ({
        p: page * PAGE_BYTES,
        pages: peek(pages.words, cache + CACHE_PAGES),
        mend: () => kmalloc.slab.letGo(cache, page),
      })),
  );
}

/** Caches that count more slabs than they have, or fewer. */
export function slabCounts({ pages }: System, marks: Marks): Finding[] {
  return marks.slabCaches.flatMap(({ cache, name, slabs }) => {
    const counted = peek(pages.words, cache + CACHE_SLABS);
    if (counted === slabs.length) return [];
    const mend = () => fetchAdd(pages.words, cache + CACHE_SLABS, slabs.length - counted);
    return [{ line: `slab cache "${name}": ${counted} slabs were counted, ${slabs.length} there`, mend }];
  });
}
