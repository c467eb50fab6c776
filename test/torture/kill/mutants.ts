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
  {
    id: "D2",
    what: "a CPU that is being reaped is reaped by another one too",
    file: "cpu/cpus.js",
    from: "const isOrphan = phase === 4 && (reaper === by || this.isDead(reaper));",
    to: "const isOrphan = phase === 4;",
  },
  {
    id: "D3",
    what: "a read section that a thread died in stays open",
    file: "reap.js",
    from: "rcu.settle();",
    to: "",
  },
];
