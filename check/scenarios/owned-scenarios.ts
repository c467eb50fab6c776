/** The scenarios of owned caches. */
import type { Program } from "../engine/scenario.ts";
import { OwnedDeaths, OwnedDiscard } from "./owned.ts";
import { type Scenario, thesePrograms } from "./spec.ts";

/** Accesses of the longest of the calls, and some: then the death comes when it has returned. */
const ACCESSES = 30;
const DYING = ["alloc", "free", "freeRcu"] as const;

export const OWNED: readonly Scenario[] = [
  {
    name: "owned",
    about:
      "a CPU dies after any number of accesses of an alloc or a free; another one reclaims, and a third frees",
    search: { kind: "exhaustive" },
    limits: { callSteps: 400 },
    prepare: (library) => {
      const prepared = new OwnedDeaths(library);
      const { reclaim, free } = prepared;
      const programs: Program[] = DYING.flatMap((what) =>
        Array.from({ length: ACCESSES }, (_, n) => prepared.dying(what, n)).flatMap((dying) => [
          [[dying], [reclaim], [free]],
          [[dying], [reclaim], [reclaim]],
        ]),
      );
      return thesePrograms(prepared, programs);
    },
  },
  {
    name: "owned-reap",
    about: "the same while the third reaps the dead CPU; at most 1 preemption",
    search: { kind: "bounded", preemptions: 1 },
    limits: { callSteps: 2000 },
    prepare: (library) => {
      const prepared = new OwnedDeaths(library);
      const { reclaim, reap } = prepared;
      const programs: Program[] = DYING.flatMap((what) =>
        Array.from({ length: ACCESSES / 2 }, (_, n) => [[prepared.dying(what, 2 * n)], [reclaim], [reap]]),
      );
      return thesePrograms(prepared, programs);
    },
  },
  {
    name: "owned-discard",
    about: "a reclaim, while another CPU frees, gives the empty slab back and uses its page",
    search: { kind: "exhaustive" },
    limits: { callSteps: 400 },
    prepare: (library) => {
      const prepared = new OwnedDiscard(library);
      const { reclaim, free, shrink, poll, use } = prepared.calls;
      return thesePrograms(prepared, [[[free, shrink, poll, use], [reclaim]]]);
    },
  },
  {
    name: "owned-refill",
    about: "a reclaim, while another CPU takes new objects from the slab that is looked at",
    search: { kind: "exhaustive" },
    limits: { callSteps: 600 },
    prepare: (library) => {
      const prepared = new OwnedDiscard(library, false);
      const { reclaim, free, take } = prepared.calls;
      return thesePrograms(prepared, [
        [[take, take, take], [reclaim]],
        [[free, take, take], [reclaim]],
      ]);
    },
  },
  {
    name: "owned-nested",
    about: "a reclaim, with a free of the same object, or an alloc and a free, nested at any step",
    search: { kind: "exhaustive" },
    limits: { callSteps: 400, nested: 2, depth: 2 },
    prepare: (library) => {
      const prepared = new OwnedDiscard(library);
      return thesePrograms(prepared, [[[], [prepared.calls.reclaim]]]);
    },
  },
];
