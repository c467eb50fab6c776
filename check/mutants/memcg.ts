/** Mutants of accounting groups. */
import type { Mutant } from "./table.ts";

const STOCK = "mm/memcg-stock.js";
const CHARGES = "mm/memcg-charges.js";

export const MEMCG_MUTANTS: readonly Mutant[] = [
  {
    id: "M24",
    what: "a nested charge uses the stock, and drains it, without a look at its lock",
    file: STOCK,
    from: "if (!localTryLock(this.words, this.lock))\n            return this.charges.charge(group, units);",
    to: "localTryLock(this.words, this.lock);",
    oracle: "charges",
    scenario: "memcg-nested",
  },
  {
    id: "A1",
    what: "what was charged below a group that refuses stays charged",
    file: CHARGES,
    from: "fetchAdd(this.words, group + MEMCG_CURRENT, -units);\n        return refused;",
    to: ";\n        return refused;",
    oracle: "charges",
    scenario: "memcg",
  },
  {
    id: "A2",
    what: "a charge looks whether there is room, and adds",
    file: CHARGES,
    from: "if (cmpxchg(this.words, group + MEMCG_CURRENT, current, reached) === current)\n                return reached;",
    to: "return fetchAdd(this.words, group + MEMCG_CURRENT, units) + units;",
    oracle: "charges",
    scenario: "memcg",
  },
];
