/** Mutants of how caches are closed, and of what is under way when an allocator ends: no historical bugs, but ours. */
import type { Mutant } from "./table.ts";

const ALLOCATORS = "memalloc/allocators.js";
const LIFETIMES = "memalloc/lifetimes.js";
const REGISTRY = "arena/records.js";
const CACHE = "memalloc/cache.js";

export const CLOSING_MUTANTS: readonly Mutant[] = [
  {
    id: "C1",
    what: "a cache that closes does not look at what nested calls put on its lists meanwhile",
    file: CACHE,
    from: "while (!this.isEmpty(cache));",
    to: "while (false);",
    oracle: "invariant",
    scenario: "freercu-nested-1",
  },
  {
    id: "C2",
    what: "a CPU gives up its pin before it has closed its caches",
    file: LIFETIMES,
    from: "for (const cache of this.cachesOn(this.caches.cpu.id, allocator))\n            this.caches.close(cache);",
    to: `this.pin(allocator, 0);
        for (const cache of this.cachesOn(this.caches.cpu.id, allocator))
            this.caches.close(cache);`,
    oracle: "early-release",
    scenario: "destroy-release",
  },
  {
    id: "C3",
    what: "a record is used again, destructor and all, before its last chain is back in slab",
    file: LIFETIMES,
    from: "loadAcquire(words, cache + CHAINS) === 0 && ",
    to: "",
    oracle: "early-release",
    scenario: "destroy-release",
  },
  {
    id: "C4",
    what: "who opens looks whether the allocator is live before it has pinned it",
    file: ALLOCATORS,
    from: `this.pin(allocator, 1);
            if (this.registry.isLive(ref) && (isNew || this.registry.join(ref))) {`,
    to: `if (this.registry.isLive(ref) && (isNew || this.registry.join(ref))) {
                this.pin(allocator, 1);`,
    oracle: "leak",
    scenario: "destroy-release",
  },
  {
    id: "C5",
    what: "two CPUs release one allocator",
    file: LIFETIMES,
    from: "if (!this.registry.claimRelease(allocator.ref))\n            return;",
    to: "this.registry.claimRelease(allocator.ref);",
    oracle: "not-at-rest",
    scenario: "destroy-release",
  },
  {
    id: "C6",
    what: "an alloc that finds its list low takes the batch although somebody reads",
    file: "memalloc/stock.js",
    from: " || !this.rcu.nobodyReads()",
    to: "",
    oracle: "early-reuse",
    scenario: "freercu-reader-2",
  },
  {
    id: "C7",
    what: "a batch that is not full goes home at the end of a turn, where a refill finds it",
    file: "memalloc/stock.js",
    from: "if (first !== 0)\n            this.pipeline.defer(first,",
    to: "if (first !== 0)\n            this.pipeline.sendHome(first,",
    oracle: "early-reuse",
    scenario: "freercu-reader-2",
  },
  {
    id: "G1",
    what: "a record becomes live beside another one of its name",
    file: REGISTRY,
    from: "isTaken ? PHASE_REFUSED : PHASE_LIVE",
    to: "PHASE_LIVE",
    oracle: "two-of-a-name",
    scenario: "registry-records",
  },
  {
    id: "G2",
    what: "who finds another record being installed does not finish that first",
    file: REGISTRY,
    from: "this.settle(there === 0 ? mine : there);",
    to: "this.settle(mine);",
    oracle: "two-of-a-name",
    scenario: "registry-records",
  },
  {
    id: "G3",
    what: "two CPUs claim the last step of one allocator",
    file: REGISTRY,
    from: "return this.move(ref, PHASE_DRAINING, PHASE_RELEASING);",
    to: "return this.isIn(ref, PHASE_DRAINING) && this.set(ref, PHASE_RELEASING) === undefined;",
    oracle: "double-owner",
    scenario: "registry-records",
  },
  {
    id: "C8",
    what: "an allocator is another one than was asked for, as its record says when that is another allocator's",
    file: ALLOCATORS,
    from: "if (this.registry.isLive(ref))\n                checkSame(",
    to: "checkSame(",
    oracle: "mismatch",
    scenario: "destroy-other",
  },
];
