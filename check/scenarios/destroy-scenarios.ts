/** Scenarios of caches that are interrupted, given up and ended. */
import { Interrupted } from "./freercu-nested.ts";
import { allPrograms, type Scenario } from "./spec.ts";

const EXHAUSTIVE = { kind: "exhaustive" } as const;

export const DESTROYS: readonly Scenario[] = [
  ...[1, 2].map(
    (batch): Scenario => ({
      name: `freercu-nested-${batch}`,
      about: `2 calls of a cache that works, closes or ends, one nested call at any step; chains of ${batch}`,
      search: EXHAUSTIVE,
      limits: { callSteps: 600, nested: 1 },
      prepare: (library) => {
        const prepared = new Interrupted(library, batch);
        return allPrograms(prepared, Object.values(prepared.calls), 2);
      },
    }),
  ),
  {
    name: "freercu-nested-twice",
    about: "1 call, 2 nested calls, one in the other or after it, at any step; chains of 2",
    search: EXHAUSTIVE,
    limits: { callSteps: 600, nested: 2, depth: 2 },
    deep: true,
    prepare: (library) => {
      const prepared = new Interrupted(library, 2);
      return allPrograms(prepared, Object.values(prepared.calls), 1);
    },
  },
];
