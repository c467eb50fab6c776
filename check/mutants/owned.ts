/** Mutants of owned caches. */
import type { Mutant } from "./table.ts";

const OWNED = "memalloc/owned-cache.js";

export const OWNED_MUTANTS: readonly Mutant[] = [
  {
    id: "O1",
    what: "a free takes the owner away by a store: a reclaim at the same time frees the object too",
    file: OWNED,
    from: "cmpxchg(this.words, at + TO_OWNER, owner, 0) === owner)",
    to: "(storeRelease(this.words, at + TO_OWNER, 0), true))",
    oracle: "race",
    scenario: "owned",
  },
  {
    id: "O2",
    what: "a reclaim takes the owner away by a store",
    file: OWNED,
    from: "cmpxchg(this.words, (p >>> 2) + TO_OWNER, claim, 0) !== claim)",
    to: "storeRelease(this.words, (p >>> 2) + TO_OWNER, 0) !== undefined)",
    oracle: "race",
    scenario: "owned",
  },
  {
    id: "O3",
    what: "an object names its owner before it says whose object it is",
    file: OWNED,
    from: "if (loadAcquire(this.words, at + TO_TAG) !== tag)\n            storeRelease(this.words, at + TO_TAG, tag);",
    to: "storeRelease(this.words, at + TO_OWNER, this.claim);\n        storeRelease(this.words, at + TO_TAG, tag);",
    oracle: "leak",
    scenario: "owned",
  },
  {
    id: "O4",
    what: "slabs are looked at outside of a read section",
    file: "memalloc/owner.js",
    from: `rcu.readLock();
        try {
            page = walkSlabs(pages, slabCache, page, SCAN_PAGES, visitSlab);
        }
        finally {
            rcu.readUnlock();
        }`,
    to: "page = walkSlabs(pages, slabCache, page, SCAN_PAGES, visitSlab);",
    oracle: "race",
    scenario: "owned-discard",
  },
  {
    id: "O5",
    what: "slabs are looked at although no object in them was seen in use: one may be on its last step out",
    file: "mm/slab-walk.js",
    from: "if (inUseOf(loadAcquire(pages.words, descriptor + DESC_STATE)) === 0)\n        return false;",
    to: "",
    oracle: "race",
    scenario: "owned-discard",
  },
  {
    id: "O6",
    what: "new slabs are not constructed: what was in the page before names owners",
    file: "memalloc/supply.js",
    from: "this.hasOwners(cache) ? this.construct : undefined",
    to: "undefined",
    oracle: "invariant",
    scenario: "owned",
  },
  {
    id: "O7",
    what: "the words that others look at are zeroed with the rest of a new object",
    file: "memalloc/supply.js",
    from: "if (this.hasOwners(cache))\n            this.zeroOwned(cache, node, count);\n        else",
    to: "",
    oracle: "race",
    scenario: "owned-refill",
  },
];
