/** The scenarios of what may be called anywhere. */
import type { Call, Program } from "../engine/scenario.ts";
import { KthreadClients } from "./kthread.ts";
import { SlabClients } from "./slab.ts";
import { PAIRS, SMALL } from "./small-heap.ts";
import { allPrograms, type Scenario, thesePrograms } from "./spec.ts";

/** Programs of a helped CPU and two helpers. */
function kthread(
  tuning: typeof SMALL,
  programs: (calls: KthreadClients["calls"]) => readonly (readonly Call[])[],
  helpers: 1 | 2,
): Scenario["prepare"] {
  return (library) => {
    const prepared = new KthreadClients(library, tuning);
    const { help } = prepared.calls;
    const served = helpers === 1 ? [[help, help], []] : [[help], [help]];
    const all: Program[] = programs(prepared.calls).map((calls) => [calls, ...served]);
    return thesePrograms(prepared, all);
  };
}

/** A call of kmallocNolock, kfreeNolock, flush on each of two CPUs; none nested gets NULL. */
function nolock(): Scenario["prepare"] {
  return (library) => {
    const prepared = new SlabClients(library, { isNolock: true, mayBeNull: false });
    return allPrograms(prepared, prepared.alphabet, 1);
  };
}

/** Two calls on one CPU. */
function nolockAlone(): Scenario["prepare"] {
  return (library) => {
    const prepared = new SlabClients(library, { isNolock: true });
    const { alphabet } = prepared;
    return thesePrograms(
      prepared,
      alphabet.flatMap((first) => alphabet.map((second) => [[first, second], []])),
    );
  };
}

export const ANY_CONTEXT: readonly Scenario[] = [
  {
    name: "nolock",
    about:
      "kmallocNolock, kfreeNolock, with one of them nested at any step: never NULL; at most 1 preemption",
    search: { kind: "bounded", preemptions: 1 },
    limits: { callSteps: 120, nested: 1 },
    prepare: nolock(),
  },
  {
    name: "nolock-twice",
    about:
      "the same on one CPU with two nested calls, one in the other or after it: NULL, but nothing broken",
    search: { kind: "exhaustive" },
    limits: { callSteps: 200, nested: 2, depth: 2 },
    prepare: nolockAlone(),
  },
  {
    name: "kthread",
    about: "a CPU whose refills others do, and two that help it; at most 2 preemptions",
    search: { kind: "bounded", preemptions: 2 },
    limits: { callSteps: 400 },
    prepare: kthread(
      PAIRS,
      ({ nmi, alloc, free, close }) => [
        [nmi, nmi, nmi],
        [nmi, free, nmi],
        [nmi, nmi, close],
        [nmi, alloc, alloc],
      ],
      2,
    ),
  },
  {
    name: "kthread-nested",
    about: "the same with one helper, and a nested alloc at any step; at most 1 preemption",
    search: { kind: "bounded", preemptions: 1 },
    limits: { callSteps: 800, nested: 1 },
    prepare: kthread(
      SMALL,
      ({ nmi, alloc, close }) => [
        [nmi, nmi],
        [nmi, alloc],
        [nmi, close],
      ],
      1,
    ),
  },
  {
    name: "kthread-death",
    about: "the same, and a helper dies at any step: the others go on",
    search: { kind: "bounded", preemptions: 1 },
    limits: { callSteps: 400, deaths: 1 },
    prepare: kthread(SMALL, ({ nmi, alloc }) => [[nmi, alloc]], 2),
  },
];
