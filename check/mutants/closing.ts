/** Mutants of how caches are closed, and of what is under way when an allocator ends: no historical bugs, but ours. */
import type { Mutant } from "./table.ts";

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
];
