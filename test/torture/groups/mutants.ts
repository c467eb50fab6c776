/**
 * Bugs planted in a copy of the library, each of which the torture must find. `from` and `to` are text of the compiled
 * files, with constants inlined. Numbers A and C as in check/mutants; T: bugs of which the torture alone knows.
 */
import { type Mutant, plantMutant } from "../rcu/mutants.ts";

export { plantMutant };

const GROUPS = "mm/memcg.js";
const CHARGES = "mm/memcg-charges.js";

export const MUTANTS: readonly Mutant[] = [
  {
    id: "A1",
    what: "what was charged below a group that refuses stays charged",
    file: CHARGES,
    from: "else\n            fetchAdd(this.words, group + 32, -units);",
    to: "",
  },
  {
    id: "A2",
    what: "a charge looks whether there is room, and adds",
    file: CHARGES,
    from: "if (cmpxchg(this.words, group + 32, current, reached) === current)\n                return reached;",
    to: "return fetchAdd(this.words, group + 32, units) + units;",
  },
  {
    id: "A3",
    what: "who holds a group looks whether it was dropped, and then holds it",
    file: GROUPS,
    from: "fetchAdd(this.words, ref.record + 18, 1);\n        if (this.isLive(ref))\n            return;",
    to: "if (this.isLive(ref)) {\n            fetchAdd(this.words, ref.record + 18, 1);\n            return;\n        }",
  },
  {
    id: "A4",
    what: "a group goes although a stock is charged to it",
    file: GROUPS,
    from: "if (lost !== load(19) || ",
    to: "if (",
  },
  {
    id: "A6",
    what: "who made a group that others have ended since takes it for refused, and makes another one with the same hold",
    file: "arena/records.js",
    from: "if (!this.isIn(ref, 6))\n            return ref;",
    to: "if (this.isIn(ref, 3))\n            return ref;\n        if (this.isIn(ref, 6))",
  },
  {
    id: "A9",
    what: "an allocator goes because its maker got no objects, whoever has opened it since",
    file: "memalloc/registry.js",
    from: "if (cmpxchg(this.words, ref.record + 16 + 22, 0, 2) !== 0)\n            return false;",
    to: "",
  },
  {
    id: "T1",
    what: "a stock whose group was dropped is forgotten, not given back",
    file: GROUPS,
    from: "this.stock.drain();",
    to: "this.stock.set(0, 0);",
  },
  {
    id: "T2",
    what: "a group that goes does not leave what was never freed to its parent",
    file: GROUPS,
    from: "this.lose(parent, lost);",
    to: "",
  },
];
