/** Scenarios of caches that are interrupted, given up and ended. */
import { Releases } from "./destroy-release.ts";
import { Interrupted } from "./freercu-nested.ts";
import { Pipelines } from "./freercu-pipeline.ts";
import { Records } from "./registry-records.ts";
import { allPrograms, type Scenario, thesePrograms } from "./spec.ts";

const EXHAUSTIVE = { kind: "exhaustive" } as const;

export const DESTROYS: readonly Scenario[] = [
  ...[1, 2].map(
    (batch): Scenario => ({
      name: `freercu-nested-${batch}`,
      about: `2 calls of a cache that works, closes or ends, one nested call at any step; chains of ${batch}`,
      search: EXHAUSTIVE,
      limits: { callSteps: 600, nested: 1 },
      prepare: (library) => {
        const prepared = new Interrupted(library, { batch, reader: false });
        const { leave, ...calls } = prepared.calls;
        return allPrograms(prepared, Object.values(calls), 2);
      },
    }),
  ),
  ...[1, 2].map(
    (batch): Scenario => ({
      name: `freercu-reader-${batch}`,
      about: `the same while another CPU is inside a read section, and when it has left that`,
      search: EXHAUSTIVE,
      limits: { callSteps: 600, nested: 1 },
      prepare: (library) => {
        const prepared = new Interrupted(library, { batch, reader: true });
        const { alloc, free, freeRcu, leave, poll, giveUp, open, destroy } = prepared.calls;
        return thesePrograms(prepared, [
          [[freeRcu, poll, alloc, alloc, alloc, alloc]],
          [[freeRcu, alloc, alloc, alloc, alloc]],
          [[freeRcu, giveUp, open, alloc]],
          ...[alloc, free, poll, giveUp, destroy].flatMap((last) => [
            [[freeRcu, leave, last]],
            [[freeRcu, freeRcu, last, leave]],
            [[freeRcu, freeRcu, leave, last]],
          ]),
        ]);
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
      const prepared = new Interrupted(library, { batch: 2, reader: false });
      const { leave, ...calls } = prepared.calls;
      return allPrograms(prepared, Object.values(calls), 1);
    },
  },
  {
    name: "freercu-pipeline",
    about: "what was freed while a third CPU is inside a read section: 2 calls on each of 2 CPUs",
    search: EXHAUSTIVE,
    limits: { callSteps: 600 },
    prepare: (library) => {
      const prepared = new Pipelines(library);
      return allPrograms(prepared, Object.values(prepared.calls), 2);
    },
  },
  {
    name: "freercu-pipeline-3",
    about: "3 calls on each CPU, at most 2 preemptions",
    search: { kind: "bounded", preemptions: 2 },
    limits: { callSteps: 600 },
    prepare: (library) => {
      const prepared = new Pipelines(library);
      const { alloc, freeRcu, ready, work, leave } = prepared.calls;
      return thesePrograms(prepared, [
        [
          [freeRcu, freeRcu, alloc],
          [leave, ready, work],
        ],
        [
          [freeRcu, leave, alloc],
          [freeRcu, ready, alloc],
        ],
        [
          [freeRcu, leave, work],
          [freeRcu, ready, work],
        ],
      ]);
    },
  },
  {
    name: "destroy-release",
    about: "the moment in which an allocator is released",
    search: EXHAUSTIVE,
    limits: { callSteps: 600 },
    prepare: (library) => {
      const prepared = new Releases(library, 2);
      const { free, freeRcu, rawFree, destroy, ready, work, end, giveUp, open, another } = prepared.calls;
      return thesePrograms(prepared, [
        [
          [destroy, end],
          [giveUp, open],
        ],
        [
          [destroy, end],
          [free, end],
        ],
        [
          [destroy, end],
          [freeRcu, end],
        ],
        [
          [destroy, end],
          [rawFree, end],
        ],
        [
          [destroy, end],
          [freeRcu, giveUp, end],
        ],
        [
          [free, destroy, work, end],
          [work, end],
        ],
        [
          [freeRcu, destroy, end],
          [ready, work, end],
        ],
        [
          [destroy, end, another],
          [free, giveUp, work],
        ],
        [
          [destroy, end],
          [destroy, end],
        ],
        [
          [free, destroy, work, end, another],
          [giveUp, work],
        ],
      ]);
    },
  },
  {
    name: "destroy-death",
    about: "the same with one death at any step: nothing is released that a dead CPU may hold",
    search: EXHAUSTIVE,
    limits: { callSteps: 600, deaths: 1 },
    prepare: (library) => {
      const prepared = new Releases(library, 2);
      const { free, freeRcu, rawFree, destroy, ready, work, end, giveUp } = prepared.calls;
      return thesePrograms(prepared, [
        [
          [destroy, end],
          [free, end],
        ],
        [
          [destroy, end],
          [rawFree, end],
        ],
        [
          [destroy, end],
          [freeRcu, giveUp, end],
        ],
        [
          [freeRcu, destroy, end],
          [ready, work, end],
        ],
        [
          [destroy, end],
          [destroy, end],
        ],
      ]);
    },
  },
  {
    name: "destroy-reopen",
    about: "both open the next allocator of that name, at most 2 preemptions",
    search: { kind: "bounded", preemptions: 2 },
    limits: { callSteps: 600 },
    deep: true,
    prepare: (library) => {
      const prepared = new Releases(library, 2);
      const { destroy, end, giveUp, open } = prepared.calls;
      return thesePrograms(prepared, [
        [
          [destroy, end, open],
          [giveUp, open],
        ],
      ]);
    },
  },
  {
    name: "destroy-other",
    about:
      "one opens it while it ends, and its record becomes that of one of another size; at most 1 preemption",
    search: { kind: "bounded", preemptions: 1 },
    limits: { callSteps: 900 },
    prepare: (library) => {
      const prepared = new Releases(library, 2);
      const { destroy, end, giveUp, open, smaller } = prepared.calls;
      return thesePrograms(prepared, [
        [
          [destroy, end, smaller],
          [giveUp, open],
        ],
      ]);
    },
  },
  {
    name: "destroy-three",
    about: "the release with a third CPU that runs callbacks, at most 2 preemptions",
    search: { kind: "bounded", preemptions: 2 },
    limits: { callSteps: 600 },
    prepare: (library) => {
      const prepared = new Releases(library, 3);
      const { free, freeRcu, destroy, ready, work, end, giveUp } = prepared.calls;
      return thesePrograms(prepared, [
        [
          [destroy, end],
          [free, end],
          [giveUp, work, end],
        ],
        [
          [freeRcu, destroy, end],
          [giveUp, work],
          [giveUp, ready, end],
        ],
      ]);
    },
  },
  {
    name: "registry-records",
    about: "records of the registry, without caches: one name made, ended and found by two CPUs",
    search: EXHAUSTIVE,
    limits: { callSteps: 300 },
    prepare: (library) => {
      const prepared = new Records(library);
      const { make, end, find } = prepared.calls;
      return thesePrograms(prepared, [
        [[make], [make]],
        [[make, end], [find]],
        [[make, end], [end]],
      ]);
    },
  },
  {
    name: "registry-records-2",
    about: "more calls of the same",
    search: EXHAUSTIVE,
    limits: { callSteps: 300 },
    deep: true,
    prepare: (library) => {
      const prepared = new Records(library);
      const { make, end } = prepared.calls;
      return thesePrograms(prepared, [
        [[make, end], [make]],
        [[make], [make, end]],
        [
          [make, end],
          [make, end],
        ],
      ]);
    },
  },
];
