/** The scenarios of owned caches. */
import type { Program } from "../engine/scenario.ts";
import { OwnedDeaths, OwnedDiscard } from "./owned.ts";
import { type Scenario, thesePrograms } from "./spec.ts";

export const OWNED: readonly Scenario[] = [
  {
    name: "owned",
    about:
      "CPU 0 allocates or frees, CPU 1 reclaims from it if it is dead, CPU 2 frees or reclaims; one death at any step",
    search: { kind: "exhaustive" },
    limits: { callSteps: 400, deaths: 1 },
    prepare: (library) => {
      const prepared = new OwnedDeaths(library);
      const { alloc, free, freeRcu, reclaim } = prepared.calls;
      const programs: Program[] = [alloc, free, freeRcu].flatMap((first) =>
        [free, reclaim].map((third) => [[first], [reclaim], [third]]),
      );
      return thesePrograms(prepared, programs);
    },
  },
  {
    name: "owned-reap",
    about: "the same while CPU 2 reaps CPU 0; at most 1 preemption",
    search: { kind: "bounded", preemptions: 1 },
    limits: { callSteps: 2000, deaths: 1 },
    prepare: (library) => {
      const prepared = new OwnedDeaths(library);
      const { alloc, free, freeRcu, reclaim, reap } = prepared.calls;
      return thesePrograms(
        prepared,
        [alloc, free, freeRcu].map((first) => [[first], [reclaim], [reap]]),
      );
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
