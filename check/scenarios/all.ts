/** All scenarios, in the order in which they run. */
import { Clients } from "./clients.ts";
import { Attachers, GoingHome } from "./hotplug.ts";
import { Llists } from "./llist.ts";
import { PageClients } from "./pages.ts";
import { SlabClients } from "./slab.ts";
import { allPrograms, type Scenario, thesePrograms } from "./spec.ts";

const EXHAUSTIVE = { kind: "exhaustive" } as const;

function clients(length: number): Scenario["prepare"] {
  return (library) => {
    const prepared = new Clients(library, 2);
    return allPrograms(prepared, Object.values(prepared.calls), length);
  };
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "llist",
    about: "add, delAll, delFirst: 3 calls on each of 2 CPUs",
    search: EXHAUSTIVE,
    prepare: (library) => {
      const prepared = new Llists(library);
      return allPrograms(prepared, prepared.alphabet, 3);
    },
  },
  {
    name: "pages",
    about: "blocks of 1, 20 and 33 pages, free: 2 calls on each of 2 CPUs",
    search: EXHAUSTIVE,
    prepare: (library) => {
      const prepared = new PageClients(library, [1, 20, 33]);
      return allPrograms(prepared, prepared.alphabet, 2);
    },
  },
  {
    name: "pages-nested",
    about: "the same with one nested call at any step, 1 call on each CPU",
    search: EXHAUSTIVE,
    limits: { nested: 1 },
    prepare: (library) => {
      const prepared = new PageClients(library, [1, 33]);
      return allPrograms(prepared, prepared.alphabet, 1);
    },
  },
  {
    name: "slab",
    about: "kmalloc, kfree of own and others' objects, flush: 2 calls on each of 2 CPUs",
    search: EXHAUSTIVE,
    prepare: (library) => {
      const prepared = new SlabClients(library);
      return allPrograms(prepared, prepared.alphabet, 2);
    },
  },
  {
    name: "slab-nested",
    about: "the same with one nested call at any step, 1 call on each CPU",
    search: EXHAUSTIVE,
    limits: { nested: 1 },
    prepare: (library) => {
      const prepared = new SlabClients(library);
      return allPrograms(prepared, prepared.alphabet, 1);
    },
  },
  {
    name: "attach",
    about: "threads that take and give back slots: 3 calls on each of 2 CPUs",
    search: EXHAUSTIVE,
    prepare: (library) => {
      const prepared = new Attachers(library);
      return allPrograms(prepared, prepared.alphabet, 3);
    },
  },
  {
    name: "going-home",
    about: "objects trimmed to a CPU that detaches, and comes back",
    search: EXHAUSTIVE,
    prepare: (library) => {
      const prepared = new GoingHome(library);
      const { free, detach, reopen } = prepared;
      return thesePrograms(prepared, [
        [[free, free, free], [detach]],
        [
          [free, free, free, free],
          [detach, reopen],
        ],
      ]);
    },
  },
  {
    name: "clients",
    about: "alloc, free, refill, send, receive + free: 2 calls on each of 2 CPUs",
    search: EXHAUSTIVE,
    prepare: clients(2),
  },
  {
    name: "clients-nested",
    about: "the same with one nested alloc or free at any step, 1 call on each CPU",
    search: EXHAUSTIVE,
    limits: { nested: 1 },
    prepare: clients(1),
  },
  {
    name: "clients-death",
    about: "the same with one death at any step, 1 call on each CPU",
    search: EXHAUSTIVE,
    limits: { deaths: 1 },
    prepare: clients(1),
  },
  {
    name: "clients-pct",
    about: "4 calls on each of 2 CPUs, sampled: PCT, depth 3",
    search: { kind: "pct", depth: 3, schedules: 1 },
    limits: { nested: 2, depth: 2 },
    prepare: clients(4),
  },
  {
    name: "clients-2-nested",
    about: "2 calls on each CPU, one nested call at any step",
    search: EXHAUSTIVE,
    limits: { nested: 1 },
    deep: true,
    prepare: clients(2),
  },
  {
    name: "clients-2-death",
    about: "2 calls on each CPU, one death at any step",
    search: EXHAUSTIVE,
    limits: { deaths: 1 },
    deep: true,
    prepare: clients(2),
  },
  {
    name: "clients-3",
    about: "3 calls on each of 2 CPUs",
    search: EXHAUSTIVE,
    deep: true,
    prepare: clients(3),
  },
];
