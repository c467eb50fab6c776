/** Bugs planted in a copy of the library, each of which this torture must find: see ../rcu/mutants.ts. */
import type { Mutant } from "../rcu/mutants.ts";

export type { Mutant };

export const MUTANTS: readonly Mutant[] = [
  {
    id: "D1",
    what: "reap settles nothing: what a dead CPU was in the middle of stays",
    file: "reap.js",
    from: "settle(dead);",
    to: "",
  },
];
