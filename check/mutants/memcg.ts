/** Mutants of accounting groups. */
import type { Mutant } from "./table.ts";

const STOCK = "mm/memcg-stock.js";
const CHARGES = "mm/memcg-charges.js";
const GROUPS = "mm/memcg.js";

export const MEMCG_MUTANTS: readonly Mutant[] = [
  {
    id: "M24",
    what: "a nested charge uses the stock, and drains it, without a look at its lock",
    file: STOCK,
    from: "if (!localTryLock(this.words, this.lock))\n            return this.told(group, units, this.charges.charge(group, units));",
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
  {
    id: "A3",
    what: "who holds a group looks whether it was dropped, and then holds it",
    file: GROUPS,
    from: "fetchAdd(this.words, ref.record + MEMCG_REFS, 1);\n        if (this.isLive(ref))\n            return;",
    to: "if (this.isLive(ref)) {\n            fetchAdd(this.words, ref.record + MEMCG_REFS, 1);\n            return;\n        }",
    oracle: "charges",
    scenario: "memcg-groups",
  },
  {
    id: "A4",
    what: "a group goes although a stock is charged to it",
    file: GROUPS,
    from: "if (lost !== load(MEMCG_LOST) || ",
    to: "if (",
    oracle: "charges",
    scenario: "memcg-groups",
  },
  {
    id: "A5",
    what: "the parent is read when the last charge below it is gone",
    file: CHARGES,
    from: `const parent = this.parentOf(at);
            // pairs with add, and with the look at what is left in Memcgs: this CPU is done with the group
            fetchAdd(this.words, at + MEMCG_CURRENT, -units);`,
    to: "fetchAdd(this.words, at + MEMCG_CURRENT, -units);\n            const parent = this.parentOf(at);",
    oracle: "charges",
    scenario: "memcg-groups",
  },
  {
    id: "A6",
    what: "who made a group that others have ended since takes it for refused, and makes another one with the same hold",
    file: "arena/records.js",
    from: "if (!this.isIn(ref, PHASE_REFUSED))\n            return ref;",
    to: "if (this.isIn(ref, PHASE_LIVE))\n            return ref;\n        if (this.isIn(ref, PHASE_REFUSED))",
    oracle: "charges",
    scenario: "memcg-names",
  },
  {
    id: "A7",
    what: "a group's parent is another one, as its record says when that is another group's",
    file: GROUPS,
    from: "if (this.isLive(ref))\n                throw",
    to: "throw",
    oracle: "mismatch",
    scenario: "memcg-names",
  },
  {
    id: "A8",
    what: "who moves a limit looks whether the group was dropped, and does not hold it",
    file: GROUPS,
    from: `this.hold(ref);
        // pairs with the load in Charges.add: charges from here on know it
        storeRelease(this.words, ref.record + MEMCG_MAX, unitsOf(max));
        this.letGo(ref.record);`,
    to: "this.checkLive(ref);\n        storeRelease(this.words, ref.record + MEMCG_MAX, unitsOf(max));",
    oracle: "charges",
    scenario: "memcg-names",
  },
  {
    id: "A9",
    what: "an allocator goes because its maker got no objects, whoever has opened it since",
    file: "memalloc/registry.js",
    from: "if (cmpxchg(this.words, ref.record + RECORD_DATA + ALLOC_OPEN, 0, OPEN_REFUSED) !== 0)\n            return false;",
    to: "",
    oracle: "early-release",
    scenario: "memcg-open",
  },
  {
    id: "A10",
    what: "who finds an allocator that its maker gives up opens it all the same",
    file: "memalloc/registry.js",
    from: "if (before !== OPEN_REFUSED)\n            return true;",
    to: "if (before !== 3)\n            return true;",
    oracle: "early-release",
    scenario: "memcg-open",
  },
];
