/** The scenarios of accounting groups. */
import type { Program } from "../engine/scenario.ts";
import { ChargeClients } from "./memcg.ts";
import { GroupClients } from "./memcg-groups.ts";
import { Openers } from "./memcg-open.ts";
import { allPrograms, type Scenario, thesePrograms } from "./spec.ts";

export const MEMCG: readonly Scenario[] = [
  {
    name: "memcg",
    about: "2 charges, uncharges or drains on each of 2 CPUs, whose groups are in one; some are refused",
    search: { kind: "exhaustive" },
    limits: { callSteps: 120 },
    prepare: (library) => {
      const prepared = new ChargeClients(library);
      const { charge, other, uncharge, drain } = prepared.calls;
      return allPrograms(prepared, [charge, other, uncharge, drain], 2);
    },
  },
  {
    name: "memcg-nested",
    about: "the same, 2 calls on one CPU and one on the other, with a nested charge or uncharge at any step",
    search: { kind: "exhaustive" },
    limits: { callSteps: 160, nested: 1 },
    prepare: (library) => {
      const prepared = new ChargeClients(library);
      const { charge, other, uncharge, drain } = prepared.calls;
      const programs: Program[] = [charge, other, uncharge, drain].flatMap((second) =>
        [charge, uncharge].map((there) => [[charge, second], [there]]),
      );
      return thesePrograms(prepared, programs);
    },
  },
  {
    name: "memcg-groups",
    about:
      "2 calls on each of 2 CPUs: a group is held and charged, dropped, polled for, its record used again; at most 2 preemptions",
    search: { kind: "bounded", preemptions: 2 },
    limits: { callSteps: 200 },
    prepare: (library) => {
      const prepared = new GroupClients(library);
      const { use, drop, poll, make } = prepared.calls;
      const programs = [use, drop, poll].flatMap((second) =>
        [drop, poll, use].flatMap((first) =>
          [drop, make].map((last) => [
            [use, second],
            [first, last],
          ]),
        ),
      );
      return thesePrograms(prepared, programs);
    },
  },
  {
    name: "memcg-names",
    about:
      "2 or 3 calls on each of 2 CPUs: groups below a third one, opened and dropped by one name; at most 2 preemptions",
    search: { kind: "bounded", preemptions: 2 },
    limits: { callSteps: 400 },
    prepare: (library) => {
      const prepared = new GroupClients(library);
      const { open, end, make, limit } = prepared.calls;
      return thesePrograms(prepared, [
        [
          [open, limit],
          [end, make],
        ],
        [[open], [open, end]],
        [
          [open, end],
          [open, end],
        ],
        [
          [end, open],
          [open, end, make],
        ],
        [
          [open, end],
          [end, make, end],
        ],
      ]);
    },
  },
  {
    name: "memcg-open",
    about:
      "an allocator opened by 2 CPUs in a group that is full, has room, and is full again; at most 1 preemption",
    search: { kind: "bounded", preemptions: 1 },
    limits: { callSteps: 800 },
    prepare: (library) => {
      const prepared = new Openers(library);
      const { open, room, full } = prepared.calls;
      return thesePrograms(prepared, [
        [[open], [open]],
        [[open], [room, open, full]],
        [[open], [open, room, open]],
      ]);
    },
  },
];
