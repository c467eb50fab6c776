/**
 * The mutants: one-line changes of the production source that bring back a bug, each with the oracle that must
 * see it. Its twin is the same scenario on the unchanged source, which must stay clean. `from` and `to`
 * are lines of the compiled file. Numbers M are those of historical bugs; R those of the rules in
 * src/memalloc/README.md, L those of the layers below. Where our code has no such place any more, the nearest hole is taken.
 */
export interface Mutant {
  readonly id: string;
  readonly what: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly oracle: string;
  readonly scenario: string;
}

import { ANY_CONTEXT_MUTANTS } from "./any-context.ts";
import { AUDIT_MUTANTS } from "./audit.ts";
import { CLOSING_MUTANTS } from "./closing.ts";
import { DEATH_MUTANTS } from "./death.ts";
import { GRACE_PERIOD_MUTANTS } from "./grace-periods.ts";
import { MEMCG_MUTANTS } from "./memcg.ts";
import { OWNED_MUTANTS } from "./owned.ts";

const CACHE = "memalloc/cache.js";
const STOCK = "memalloc/stock.js";

export const MUTANTS: readonly Mutant[] = [
  {
    id: "M1",
    what: "an object is dropped when its cache is busy",
    file: CACHE,
    from: "llistAdd(this.words, cache + list, chainLink(node));",
    to: ";",
    oracle: "leak",
    scenario: "one-cpu-nested",
  },
  {
    id: "M2",
    what: "the work sends the stock home although the cache is busy",
    file: CACHE,
    from: "return this.isClosed(cache);\n        this.takeExtras(cache);",
    to: "return (this.stock.sendAllBut(cache, 0), this.isClosed(cache));\n        this.takeExtras(cache);",
    oracle: "two-lists",
    scenario: "clients-nested",
  },
  {
    id: "M4",
    what: "size to bucket off by one",
    file: "memalloc/sizes.js",
    from: "unit >= i * 8 + HEADER_BYTES",
    to: "unit > i * 8 + HEADER_BYTES",
    oracle: "wrong-bucket",
    scenario: "sizes",
  },
  {
    id: "M5",
    what: "free takes the bucket of the unit's size, which rounds differently",
    file: "memalloc/mem-alloc.js",
    from: `let cache = home;
        if ((home & this.areaMask) !== this.area)
            cache = this.area | (home & ~this.areaMask);
        if (readPrivate(words, cache + HAND) !== HAND_IDLE) {
            this.caches.freeBusy(cache, node);`,
    to: `let cache = this.table[((readPrivate(words, home + 5) << 2) + 7) >>> 3] || home;
        if ((home & this.areaMask) !== this.area)
            cache = this.area | (home & ~this.areaMask);
        if (readPrivate(words, cache + HAND) !== HAND_IDLE) {
            this.caches.freeBusy(cache, node);`,
    oracle: "wrong-bucket",
    scenario: "sizes",
  },
  {
    id: "M11",
    what: "the refill is not raised: nested code sees an empty list and no pending work",
    file: CACHE,
    from: "if (!isNow)\n            this.cpu.irqWork.raise(cache + WORK);",
    to: "",
    oracle: "spurious-null",
    scenario: "one-cpu-nested",
  },
  {
    id: "M13",
    what: "memory from slab is not zeroed",
    file: "memalloc/supply.js",
    from: "this.slab.zero(readPrivate(this.words, cache + SLAB_CACHE), node, count);",
    to: ";",
    oracle: "garbage",
    scenario: "clients",
  },
  {
    id: "M14",
    what: "the first objects cannot be had, and nobody notices",
    file: "memalloc/allocators.js",
    from: "filled = false;",
    to: ";",
    oracle: "null-at-first-use",
    scenario: "full-heap",
  },
  {
    id: "M20",
    what: "an empty slab is discarded by whoever freed its last object",
    file: "mm/slab.js",
    from: "this.lists.sweep(cache, SWEEP_SLABS, true);",
    to: "this.lists.discard(cache, page);",
    oracle: "page-under-user",
    scenario: "slab",
  },
  {
    id: "M27",
    what: "a slab's shared list is taken, and left where it is for another CPU",
    file: "mm/slab.js",
    from: "const taken = stateOf(0, readPrivate(this.words, cache + CACHE_OBJECTS), STATE_FROZEN);",
    to: "const taken = loadAcquire(this.words, at);",
    oracle: "double-owner",
    scenario: "slab",
  },
  {
    id: "R1",
    what: "single slabs are taken without the taker word",
    file: "mm/cache-lists.js",
    from: "if (this.cpu.claimTaker(cache + CACHE_TAKER) !== NOT_CLAIMED)",
    to: "",
    oracle: "race",
    scenario: "slab",
  },
  {
    id: "R2",
    what: "alloc does not look whether the list is in use",
    file: "memalloc/mem-cache.js",
    from: "return this.allocBusy();",
    to: ";",
    oracle: "invariant",
    scenario: "clients-nested",
  },
  {
    id: "R3",
    what: "an object is freed into the cache of the CPU it came from",
    file: "memalloc/mem-alloc.js",
    from: `cache = this.area | (home & ~this.areaMask);
        if (readPrivate(words, cache + HAND) !== HAND_IDLE) {
            this.caches.freeBusy(cache, node);`,
    to: `;
        if (readPrivate(words, cache + HAND) !== HAND_IDLE) {
            this.caches.freeBusy(cache, node);`,
    oracle: "race",
    scenario: "remote-any",
  },
  {
    id: "R4",
    what: "an object is handed out, and stays on the list",
    file: "memalloc/free-list.js",
    from: "writePrivate(this.words, cache + FREE_LIST, readPrivate(this.words, node + OBJECT_HOME));",
    to: ";",
    oracle: "two-lists",
    scenario: "clients",
  },
  {
    id: "R6",
    what: "a chain that is a list again is thought shorter than it is",
    file: "memalloc/chain.js",
    from: "writePrivate(words, first + OBJECT_CHECK, depth + 1);",
    to: "writePrivate(words, first + OBJECT_CHECK, 1);",
    oracle: "invariant",
    scenario: "freercu-batch",
  },
  {
    id: "R7",
    what: "there is always room for another chain",
    file: "memalloc/free-list.js",
    from: "const hasRoom = this.stockBusy(cache) <= readPrivate(this.words, cache + HIGH);",
    to: "const hasRoom = true;",
    oracle: "invariant",
    scenario: "freercu-nested-2",
  },
  {
    id: "R8",
    what: "the free list is full, becomes the spare, and stays the free list",
    file: "memalloc/free-list.js",
    from: "writePrivate(words, cache + FREE_LIST, isTooMuch ? 0 : before);",
    to: "writePrivate(words, cache + FREE_LIST, before || readPrivate(words, cache + FREE_LIST));",
    oracle: "two-lists",
    scenario: "clients-tight",
  },
  {
    id: "R9",
    what: "the objects of the free list join the spare, and stay; the chain that was to take their place is lost",
    file: "memalloc/free-list.js",
    from: "writePrivate(this.words, cache + FREE_LIST, first);\n        this.linkAll(cache + SPARE, before);",
    to: "this.linkAll(cache + SPARE, before);",
    oracle: "leak",
    scenario: "freercu-nested-2",
  },
  {
    id: "R5",
    what: "objects taken from slab are not counted",
    file: STOCK,
    from: "this.count(cache + TAKEN, got);",
    to: ";",
    oracle: "leak",
    scenario: "clients",
  },
  {
    id: "L1",
    what: "words of the areas are reserved by a load and a store",
    file: "cpu/percpu-areas.js",
    from: "if (cmpxchg(this.words, PERCPU_USED, used, next) === used)",
    to: "if (cmpxchg(this.words, PERCPU_USED, loadAcquire(this.words, PERCPU_USED), next) !== 0)",
    oracle: "double-owner",
    scenario: "names",
  },
  {
    id: "L2",
    what: "a name is published whatever was published meanwhile",
    file: "arena/directory.js",
    from: "if (this.matches(there, kind, name))\n                return there;",
    to: "",
    oracle: "two-of-a-name",
    scenario: "names",
  },
  {
    id: "L3",
    what: "an allocator goes live without a look whether its name is taken",
    file: "arena/records.js",
    from: "isTaken ? PHASE_REFUSED : PHASE_LIVE",
    to: "PHASE_LIVE",
    oracle: "two-of-a-name",
    scenario: "open",
  },
  {
    id: "L4",
    what: "work that cannot be done now is forgotten",
    file: "cpu/irq-work.js",
    from: "if (this.handler(item))\n                    worked = true;",
    to: "if (this.handler(item) || true)\n                    worked = true;",
    oracle: "lost-work",
    scenario: "contexts",
  },
  ...GRACE_PERIOD_MUTANTS,
  ...CLOSING_MUTANTS,
  ...ANY_CONTEXT_MUTANTS,
  ...MEMCG_MUTANTS,
  ...DEATH_MUTANTS,
  ...OWNED_MUTANTS,
  ...AUDIT_MUTANTS,
];
