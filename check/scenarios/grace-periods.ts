/** Scenarios of the rcu layer, and of what memalloc builds on it. */

import { CallbackClients } from "./callbacks.ts";
import { Destroyers, Makers } from "./destroy.ts";
import { FreeRcuClients, type FreeRcuOptions } from "./freercu.ts";
import { type ReaderOptions, Readers } from "./rcu-readers.ts";
import { type Scenario, thesePrograms } from "./spec.ts";
import { Flags, Producer, Undertakers } from "./traffic.ts";

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
    const { read, readAsync, replace, free, alloc, poll, comeBack } = prepared.calls;
    return thesePrograms(prepared, [
      [[replace, replace, alloc], [read]],
      [[replace, poll, alloc], [read]],
      [[free, poll, poll], [readAsync]],
      [[replace, comeBack, alloc, alloc], [read]],
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
    about: "another CPU drives too: 3 CPUs",
    search: EXHAUSTIVE,
    limits: { callSteps: 100 },
    prepare: readers({ flavour: "tasks-trace", cpus: 3 }, ({ read, replace, reuse, drive }) => [
      [[replace, reuse], [read], [drive]],
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
    about: "the same with one death at any step: the survivor runs what is left, once",
    search: EXHAUSTIVE,
    limits: { callSteps: 200, deaths: 1 },
    prepare: callbacks("rcu"),
  },
  {
    name: "freercu",
    about: "objects replaced and freed under a reader, and used again; chains of one; at most 2 preemptions",
    search: { kind: "bounded", preemptions: 2 },
    limits: { callSteps: 600 },
    prepare: freeRcu({ batch: 1, abstract: false }),
  },
  {
    name: "freercu-abstract",
    about: "the same against grace periods that end as soon as they may",
    search: { kind: "bounded", preemptions: 2 },
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
  {
    name: "freercu-3",
    about: "freercu with at most 3 preemptions",
    search: { kind: "bounded", preemptions: 3 },
    limits: { callSteps: 600 },
    deep: true,
    prepare: freeRcu({ batch: 1, abstract: false }),
  },
  {
    name: "freercu-abstract-3",
    about: "freercu-abstract with at most 3 preemptions",
    search: { kind: "bounded", preemptions: 3 },
    limits: { callSteps: 600 },
    deep: true,
    prepare: freeRcu({ batch: 1, abstract: true }),
  },
  {
    name: "destroy",
    about: "an allocator destroyed while what was freed is on its way, at most 2 preemptions",
    search: { kind: "bounded", preemptions: 2 },
    limits: { callSteps: 900 },
    prepare: (library) => {
      const prepared = new Destroyers(library);
      const { free, freeRcu, destroy, poll, giveUp, open } = prepared.calls;
      return thesePrograms(prepared, [
        [
          [free, destroy, poll, poll],
          [freeRcu, poll, poll],
        ],
        [
          [freeRcu, poll, poll],
          [destroy, free, poll],
        ],
        [
          [destroy, poll],
          [freeRcu, giveUp, poll],
        ],
        [
          [destroy, poll],
          [giveUp, poll, open],
        ],
        [
          [destroy, poll],
          [destroy, poll],
        ],
        [
          [destroy, poll, poll],
          [giveUp, open, poll],
        ],
      ]);
    },
  },
  {
    name: "registry",
    about: "two CPUs make an allocator of one name; one destroys it; at most 2 preemptions",
    search: { kind: "bounded", preemptions: 2 },
    limits: { callSteps: 900 },
    prepare: (library) => {
      const prepared = new Makers(library);
      const { open, openOther, destroy, poll } = prepared.calls;
      return thesePrograms(prepared, [
        [[open], [open]],
        [[open], [openOther]],
        [[open, destroy, poll], [open]],
        [
          [open, destroy],
          [destroy, open],
        ],
      ]);
    },
  },
  {
    name: "freercu-types",
    about: "plain frees under readers, where tasks trace does not imply RCU",
    search: { kind: "bounded", preemptions: 2 },
    limits: { callSteps: 600 },
    prepare: (library) => {
      const prepared = new FreeRcuClients(library, {
        batch: 1,
        abstract: true,
        traceImpliesRcu: false,
        size: 4080,
      });
      const { free, comeBack, poll, steal, read, readAsync } = prepared.calls;
      return thesePrograms(prepared, [
        [[free, comeBack, poll, steal], [read]],
        [[free, comeBack, poll, steal], [readAsync]],
      ]);
    },
  },
  ...(["producer", "producer-rcu"] as const).map(
    (name): Scenario => ({
      name,
      about: `one CPU allocates, another one frees${name === "producer" ? "" : " with freeRcu"}: what waits is bounded`,
      search: EXHAUSTIVE,
      limits: { callSteps: 20_000 },
      prepare: (library) => {
        const prepared = new Producer(library, name === "producer-rcu");
        return thesePrograms(prepared, [[prepared.calls]]);
      },
    }),
  ),
  {
    name: "flags",
    about: "allocFlags where the stock is used up",
    search: EXHAUSTIVE,
    limits: { callSteps: 1000 },
    prepare: (library) => {
      const prepared = new Flags(library);
      return thesePrograms(prepared, [[prepared.calls]]);
    },
  },
  {
    name: "undertakers",
    about: "an object with a destructor that only one thread knows",
    search: EXHAUSTIVE,
    limits: { callSteps: 1000 },
    prepare: (library) => {
      const prepared = new Undertakers(library);
      return thesePrograms(prepared, [[prepared.calls]]);
    },
  },
];
