/** Scenarios of the rcu layer, and of what memalloc builds on it. */
import { CallbackClients } from "./callbacks.ts";
import { FreeRcuClients, type FreeRcuOptions } from "./freercu.ts";
import { type ReaderOptions, Readers } from "./rcu-readers.ts";
import { type Scenario, thesePrograms } from "./spec.ts";

const EXHAUSTIVE = { kind: "exhaustive" } as const;

type ReaderCalls = Readers["calls"];

function readers(
  options: ReaderOptions,
  programs: (calls: ReaderCalls) => Parameters<typeof thesePrograms>[1],
): Scenario["prepare"] {
  return (library) => {
    const prepared = new Readers(library, options);
    return thesePrograms(prepared, programs(prepared.calls));
  };
}

const twoReaders = ({ read, readTwice, replace, reuse }: ReaderCalls) => [
  [
    [replace, reuse, reuse],
    [read, readTwice],
  ],
];

function callbacks(flavour: "rcu" | "tasks-trace"): Scenario["prepare"] {
  return (library) => {
    const prepared = new CallbackClients(library, flavour);
    const { read, replace, poll, barrier } = prepared.calls;
    return thesePrograms(prepared, [
      [
        [replace, poll, poll],
        [read, poll],
      ],
      [
        [replace, replace, poll],
        [poll, read],
      ],
      [[replace, replace, poll], [barrier]],
      [
        [replace, barrier],
        [poll, read],
      ],
    ]);
  };
}

function freeRcu(options: FreeRcuOptions): Scenario["prepare"] {
  return (library) => {
    const prepared = new FreeRcuClients(library, options);
    const { read, readAsync, replace, free, alloc, poll, detach } = prepared.calls;
    return thesePrograms(prepared, [
      [[replace, replace, alloc], [read]],
      [[replace, poll, alloc], [read]],
      [[free, poll, poll], [readAsync]],
      [[replace, detach, poll], [read]],
      [
        [replace, poll],
        [replace, poll],
      ],
      [
        [replace, alloc],
        [poll, poll],
      ],
    ]);
  };
}

export const GRACE_PERIODS: readonly Scenario[] = [
  {
    name: "rcu-readers",
    about: "an updater that replaces and reuses, a reader with nested sections",
    search: EXHAUSTIVE,
    limits: { callSteps: 100 },
    prepare: readers({ flavour: "rcu", cpus: 2 }, twoReaders),
  },
  {
    name: "rcu-wrap",
    about: "the same while the number of the period comes round",
    search: EXHAUSTIVE,
    limits: { callSteps: 100 },
    prepare: readers({ flavour: "rcu", cpus: 2, first: -3 }, twoReaders),
  },
  {
    name: "rcu-nested",
    about: "the same with one nested reader at any step",
    search: EXHAUSTIVE,
    limits: { callSteps: 100, nested: 1 },
    prepare: readers({ flavour: "rcu", cpus: 2 }, ({ read, replace, reuse }) => [
      [[replace, reuse, reuse], [read]],
    ]),
  },
  {
    name: "rcu-drivers",
    about: "another CPU drives too: 3 CPUs, at most 3 preemptions",
    search: { kind: "bounded", preemptions: 3 },
    limits: { callSteps: 100 },
    prepare: readers({ flavour: "rcu", cpus: 3 }, ({ read, replace, reuse, drive }) => [
      [
        [replace, reuse, reuse],
        [read, read],
        [drive, drive],
      ],
    ]),
  },
  {
    name: "rcu-late",
    about: "a reader that attaches while a period runs",
    search: EXHAUSTIVE,
    limits: { callSteps: 100 },
    prepare: readers({ flavour: "rcu", cpus: 2, late: true }, ({ attach, read, replace, reuse }) => [
      [
        [replace, reuse, reuse],
        [attach, read],
      ],
    ]),
  },
  {
    name: "trace-readers",
    about: "tasks trace: an updater that replaces and reuses, a reader that may stall anywhere",
    search: EXHAUSTIVE,
    limits: { callSteps: 100 },
    prepare: readers({ flavour: "tasks-trace", cpus: 2 }, twoReaders),
  },
  {
    name: "trace-nested",
    about: "the same with one nested reader at any step",
    search: EXHAUSTIVE,
    limits: { callSteps: 100, nested: 1 },
    prepare: readers({ flavour: "tasks-trace", cpus: 2, first: -2 }, ({ read, replace, reuse }) => [
      [[replace, reuse, reuse], [read]],
    ]),
  },
  {
    name: "trace-drivers",
    about: "another CPU drives too: 3 CPUs, at most 3 preemptions",
    search: { kind: "bounded", preemptions: 3 },
    limits: { callSteps: 100 },
    prepare: readers({ flavour: "tasks-trace", cpus: 3 }, ({ read, replace, reuse, drive }) => [
      [
        [replace, reuse, reuse],
        [read, read],
        [drive, drive],
      ],
    ]),
  },
  {
    name: "callbacks",
    about: "callbacks given, run by any CPU, under a reader and beside barriers",
    search: EXHAUSTIVE,
    limits: { callSteps: 200 },
    prepare: callbacks("rcu"),
  },
  {
    name: "callbacks-trace",
    about: "the same with tasks trace",
    search: EXHAUSTIVE,
    limits: { callSteps: 200 },
    prepare: callbacks("tasks-trace"),
  },
  {
    name: "callbacks-death",
    about: "the same with one death at any step: the survivor goes on",
    search: EXHAUSTIVE,
    limits: { callSteps: 200, deaths: 1 },
    prepare: callbacks("rcu"),
  },
  {
    name: "freercu",
    about: "objects replaced and freed under a reader, and used again; chains of one",
    search: { kind: "bounded", preemptions: 3 },
    limits: { callSteps: 600 },
    prepare: freeRcu({ batch: 1, abstract: false }),
  },
  {
    name: "freercu-abstract",
    about: "the same against grace periods that end as soon as they may",
    search: { kind: "bounded", preemptions: 3 },
    limits: { callSteps: 600 },
    prepare: freeRcu({ batch: 1, abstract: true }),
  },
  {
    name: "freercu-batch",
    about: "the same with chains of two",
    search: { kind: "bounded", preemptions: 2 },
    limits: { callSteps: 600 },
    prepare: freeRcu({ batch: 2, abstract: true }),
  },
];
