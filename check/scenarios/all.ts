/** All scenarios, in the order in which they run. */
import type { Tuning } from "#src/boot.js";
import { ANY_CONTEXT } from "./any-context.ts";
import { AUDITS } from "./audit-scenarios.ts";
import { type ClientCalls, Clients } from "./clients.ts";
import { Contexts } from "./contexts.ts";
import { DESTROYS } from "./destroy-scenarios.ts";
import { GRACE_PERIODS } from "./grace-periods.ts";
import { Attachers, GoingHome } from "./hotplug.ts";
import { Llists } from "./llist.ts";
import { MEMCG } from "./memcg-scenarios.ts";
import { Names } from "./names.ts";
import { OWNED } from "./owned-scenarios.ts";
import { PageClients } from "./pages.ts";
import { REAPS } from "./reap.ts";
import { FullHeap, Sizes } from "./single.ts";
import { SlabClients } from "./slab.ts";
import { PAIRS, ROOMY, SMALL, TIGHT } from "./small-heap.ts";
import { allPrograms, type Scenario, thesePrograms } from "./spec.ts";

const CALLS = ["alloc", "free", "refill", "send", "receive"] as const;
const WITH_POLL = [...CALLS, "poll"] as const;
const EXHAUSTIVE = { kind: "exhaustive" } as const;

/** All programs of `length` of these calls on each CPU. */
function clients(
  length: number,
  tuning: Tuning,
  calls: readonly (keyof ClientCalls)[] = CALLS,
  kind: "fixed" | "any" = "fixed",
): Scenario["prepare"] {
  return (library) => {
    const prepared = new Clients(library, 2, kind, tuning);
    const alphabet = calls.map((name) => prepared.calls[name]);
    return allPrograms(prepared, alphabet, length);
  };
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "llist",
    about: "add, delAll, delFirst: 3 calls on each of 2 CPUs",
    search: EXHAUSTIVE,
    limits: { callSteps: 20 },
    prepare: (library) => {
      const prepared = new Llists(library);
      return allPrograms(prepared, prepared.alphabet, 3);
    },
  },
  {
    name: "contexts",
    about:
      "deferred work and contexts: 2 calls on one CPU, 2 nested calls, one in the other or after it, at any step",
    search: EXHAUSTIVE,
    limits: { callSteps: 80, nested: 2, depth: 2 },
    prepare: (library) => {
      const prepared = new Contexts(library);
      return allPrograms(prepared, prepared.alphabet, 2);
    },
  },
  {
    name: "names",
    about: "roots, words of the areas: 2 calls on each of 2 CPUs",
    search: EXHAUSTIVE,
    limits: { callSteps: 60 },
    prepare: (library) => {
      const prepared = new Names(library);
      const { set, setOther, get, reserve } = prepared;
      return allPrograms(prepared, [set, setOther, get, reserve], 2);
    },
  },
  {
    name: "open",
    about: "opening an allocator, or two: 1 call on each of 2 CPUs; at most 2 preemptions",
    search: { kind: "bounded", preemptions: 2 },
    limits: { callSteps: 500 },
    prepare: (library) => {
      const prepared = new Names(library);
      return allPrograms(prepared, [prepared.open, prepared.openOther], 1);
    },
  },
  {
    name: "pages",
    about: "blocks of 1, 20 and 33 pages, free: 2 calls on each of 2 CPUs",
    search: EXHAUSTIVE,
    limits: { callSteps: 30 },
    prepare: (library) => {
      const prepared = new PageClients(library, [1, 20, 33]);
      return allPrograms(prepared, prepared.alphabet, 2);
    },
  },
  {
    name: "pages-nested",
    about: "the same with one nested call at any step, 1 call on each CPU",
    search: EXHAUSTIVE,
    limits: { callSteps: 25, nested: 1 },
    prepare: (library) => {
      const prepared = new PageClients(library, [1, 33]);
      return allPrograms(prepared, prepared.alphabet, 1);
    },
  },
  {
    name: "slab",
    about: "kmalloc, kfree of own and others' objects, flush: 2 calls on each of 2 CPUs",
    search: EXHAUSTIVE,
    limits: { callSteps: 70 },
    prepare: (library) => {
      const prepared = new SlabClients(library);
      return allPrograms(prepared, prepared.alphabet, 2);
    },
  },
  {
    name: "slab-nested",
    about: "the same with one nested call at any step, 1 call on each CPU",
    search: EXHAUSTIVE,
    limits: { callSteps: 75, nested: 1 },
    prepare: (library) => {
      const prepared = new SlabClients(library);
      return allPrograms(prepared, prepared.alphabet, 1);
    },
  },
  {
    name: "sizes",
    about: "the right bucket for each size: one CPU",
    search: EXHAUSTIVE,
    limits: { callSteps: 400 },
    prepare: (library) => {
      const prepared = new Sizes(library);
      return thesePrograms(prepared, [[prepared.calls]]);
    },
  },
  {
    name: "full-heap",
    about: "opening an allocator without a page left: one CPU",
    search: EXHAUSTIVE,
    limits: { callSteps: 800 },
    prepare: (library) => {
      const prepared = new FullHeap(library);
      return thesePrograms(prepared, [[prepared.calls]]);
    },
  },
  {
    name: "attach",
    about: "threads that take and give back slots: 3 calls on each of 2 CPUs",
    search: EXHAUSTIVE,
    limits: { callSteps: 25 },
    prepare: (library) => {
      const prepared = new Attachers(library);
      return allPrograms(prepared, prepared.alphabet, 3);
    },
  },
  {
    name: "going-home",
    about: "objects trimmed to a CPU that detaches, and comes back; at most 3 preemptions",
    search: { kind: "bounded", preemptions: 3 },
    limits: { callSteps: 350 },
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
    name: "detach",
    about: "the same with the whole of a detach, and polls; at most 2 preemptions",
    search: { kind: "bounded", preemptions: 2 },
    limits: { callSteps: 1000 },
    prepare: (library) => {
      const prepared = new GoingHome(library);
      const { free, leave, reopen, poll } = prepared;
      return thesePrograms(prepared, [
        [[free, free, free, poll], [leave]],
        [
          [free, free, free],
          [leave, reopen, poll],
        ],
      ]);
    },
  },
  {
    name: "clients",
    about: "alloc, free, refill, send, receive + free, poll: 2 calls on each of 2 CPUs; chains of 2 objects",
    search: EXHAUSTIVE,
    limits: { callSteps: 250 },
    prepare: clients(2, PAIRS, WITH_POLL),
  },
  {
    name: "clients-tight",
    about: "the same without poll, where each alloc refills and each free trims",
    search: EXHAUSTIVE,
    limits: { callSteps: 150 },
    prepare: clients(2, TIGHT),
  },
  {
    name: "clients-any",
    about: "the same on a bucket of an any-size allocator; chains of 2 objects",
    search: EXHAUSTIVE,
    limits: { callSteps: 200 },
    prepare: clients(2, PAIRS, CALLS, "any"),
  },
  {
    name: "remote-any",
    about: "an object that goes to the other CPU and is freed there, while its home goes on",
    search: EXHAUSTIVE,
    limits: { callSteps: 200 },
    prepare: (library) => {
      const prepared = new Clients(library, 2, "any");
      const { alloc, free, send, receive } = prepared.calls;
      return thesePrograms(prepared, [
        [
          [alloc, send, alloc, free],
          [receive, alloc],
        ],
        [
          [alloc, send, alloc, send],
          [receive, receive, free],
        ],
      ]);
    },
  },
  {
    name: "clients-nested",
    about: "clients with one nested alloc or free at any step, 1 call on each CPU",
    search: EXHAUSTIVE,
    limits: { callSteps: 250, nested: 1 },
    prepare: clients(1, PAIRS),
  },
  {
    name: "clients-any-nested",
    about: "the same on a bucket of an any-size allocator; chains of 1 object",
    search: EXHAUSTIVE,
    limits: { callSteps: 220, nested: 1 },
    prepare: clients(1, SMALL, CALLS, "any"),
  },
  {
    name: "one-cpu-nested",
    about: "2 calls on one CPU, 2 nested calls, one in the other or after it, at any step",
    search: EXHAUSTIVE,
    limits: { callSteps: 350, nested: 2, depth: 2 },
    prepare: (library) => {
      const prepared = new Clients(library, 1, "fixed", PAIRS);
      const { alloc, free, refill } = prepared.calls;
      return allPrograms(prepared, [alloc, free, refill], 2);
    },
  },
  {
    name: "clients-death",
    about: "clients with one death at any step, 1 call on each CPU",
    search: EXHAUSTIVE,
    limits: { callSteps: 200, deaths: 1 },
    prepare: clients(1, PAIRS),
  },
  ...[2, 3, 4, 5].map(
    (depth): Scenario => ({
      name: `clients-pct-${depth}`,
      about: `4 calls on each of 2 CPUs, 2 nested calls, sampled: PCT, depth ${depth}`,
      search: { kind: "pct", depth, schedules: 2 },
      limits: { callSteps: 500, nested: 2, depth: 2 },
      prepare: clients(4, PAIRS, WITH_POLL),
    }),
  ),
  {
    name: "clients-pos",
    about: "the same by partial-order sampling, 3 nested calls, one in the other",
    search: { kind: "pos", schedules: 2 },
    limits: { callSteps: 500, nested: 3, depth: 3 },
    prepare: clients(4, PAIRS, WITH_POLL),
  },
  {
    name: "clients-2-nested",
    about: "2 calls on each CPU, one nested call at any step; a trim only after 3 frees",
    search: EXHAUSTIVE,
    limits: { callSteps: 250, nested: 1 },
    deep: true,
    prepare: clients(2, ROOMY),
  },
  {
    name: "clients-2-death",
    about: "2 calls on each CPU, one death at any step; chains of 1 object",
    search: EXHAUSTIVE,
    limits: { callSteps: 200, deaths: 1 },
    prepare: clients(2, SMALL),
  },
  {
    name: "clients-3",
    about: "3 calls on each of 2 CPUs, poll is one of them; a trim only after 3 frees",
    search: EXHAUSTIVE,
    limits: { callSteps: 300 },
    deep: true,
    prepare: clients(3, ROOMY, WITH_POLL),
  },
  ...GRACE_PERIODS,
  ...DESTROYS,
  ...ANY_CONTEXT,
  ...MEMCG,
  ...REAPS,
  ...OWNED,
  ...AUDITS,
];
