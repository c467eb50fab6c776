/**
 * Derive: each object of the slabs whose objects have headers is free, listed, out, leaked, or in hand at death. The
 * allocators' objects lie in slabs of their own, so each begins with a header, and in those of a new slab it says that
 * the object is not out. Which list one in hand came from does not matter: nobody can see it any more, since it
 * is quiet and no reader is inside a section.
 */
import { peek, writePrivate } from "#primitive";
import { SharedHeapError } from "../arena/index.ts";
import type { System } from "../inspect/index.ts";
import { type Allocator, checkWord, isUnowned, payloadOf } from "../memalloc/index.ts";
import { OBJECT_CHECK, OBJECT_HOME, OWNED_BYTES } from "../memalloc/layout.ts";
import { hasOwners, sharedObjects } from "../mm/index.ts";
import { CACHE_OBJECTS, CACHE_UNIT_WORDS } from "../mm/layout.ts";
import type { MarkedSlabs, Marks } from "./marks.ts";
import type { AuditBooks, InHand } from "./report.ts";

/** An object in hand, and what gives it back to slab. */
export interface Stray extends InHand {
  readonly mend: () => void;
}

export interface Objects {
  readonly books: AuditBooks;
  readonly inHand: readonly Stray[];
  /** Objects that are out, by the cache that is their home. */
  readonly outByHome: ReadonlyMap<number, number>;
}

/** Looks at every object. Errors: `corrupt`. */
export function classify(system: System, marks: Marks): Objects {
  const homes = new Map(marks.caches.map(({ cache, allocator }) => [cache, allocator]));
  const inHand: Stray[] = [];
  const outByHome = new Map<number, number>();
  const books = { used: 0, listed: 0, out: 0, leaked: 0 };
  for (const slabs of marks.slabCaches) {
    if (!slabs.hasHeaders) continue;
    forEachUsed(system, slabs, (node, page) => {
      const { where, home } = placeOf(system, marks, homes, node);
      books.used++;
      if (where === "inHand") inHand.push(stray(system, slabs.cache, page, node));
      else books[where]++;
      if (where === "out") outByHome.set(home, (outByHome.get(home) ?? 0) + 1);
    });
  }
  return { books, inHand, outByHome };
}

/** The objects that are not free in their slab. */
function forEachUsed(
  { pages }: System,
  { cache, slabs, privately }: MarkedSlabs,
  visit: (node: number, page: number) => void,
): void {
  const unit = peek(pages.words, cache + CACHE_UNIT_WORDS);
  const objects = peek(pages.words, cache + CACHE_OBJECTS);
  for (const page of slabs) {
    const free = sharedObjects(pages, cache, page, () => {});
    for (let i = 0, node = pages.address(page); i < objects; i++, node += unit)
      if (!free.has(node) && !privately.has(node)) visit(node, page);
  }
}

interface Place {
  readonly where: "listed" | "out" | "leaked" | "inHand";
  readonly home: number;
}

function placeOf(
  { pages, debug }: System,
  marks: Marks,
  homes: ReadonlyMap<number, Allocator>,
  node: number,
): Place {
  const check = peek(pages.words, node + OBJECT_CHECK);
  const home = peek(pages.words, node + OBJECT_HOME);
  if (marks.listed.has(node)) {
    if (check < 0)
      throw new SharedHeapError(
        "corrupt",
        `audit(): word ${node} is on a list, and its header says it is out`,
      );
    return { where: "listed", home };
  }
  if (check >= 0) return { where: "inHand", home };
  const allocator = homes.get(home);
  if (allocator === undefined || check !== checkWord(payloadOf(node), home, allocator.key))
    return { where: "leaked", home };
  // popped and not owned yet, or not owned any more and not pushed: nobody can free it. In debug heaps likewise
  const isInHand = allocator.isOwned
    ? isUnowned(pages.words, node)
    : debug?.isInHand(payloadOf(node)) === true;
  return { where: isInHand ? "inHand" : "out", home };
}

function stray({ pages, kmalloc, debug }: System, cache: number, page: number, node: number): Stray {
  const bytes = peek(pages.words, cache + CACHE_UNIT_WORDS) * 4;
  const more = hasOwners(pages.words, cache) ? OWNED_BYTES : 0;
  const mend = (): void => {
    // that of an owned one may say that it is out
    writePrivate(pages.words, node + OBJECT_CHECK, 0);
    debug?.forget(payloadOf(node));
    kmalloc.slab.free(cache, page, node);
  };
  const p = payloadOf(node) + more;
  return { p: debug?.programOffset(p) ?? p, bytes, mend };
}
