/** The scenarios of audits. */
import type { Call } from "../engine/scenario.ts";
import { AuditClients } from "./audit.ts";
import { AuditedKthread } from "./audit-kthread.ts";
import { SMALL } from "./small-heap.ts";
import { type Scenario, thesePrograms } from "./spec.ts";

type Calls = AuditClients["calls"];

/** Programs of CPU 0, each alone. `callsAtOnce`: with nested ones. */
function alone(
  programs: (calls: Calls) => readonly (readonly Call[])[],
  callsAtOnce = 1,
): Scenario["prepare"] {
  return (library) => {
    const prepared = new AuditClients(library, "plain", callsAtOnce);
    return thesePrograms(
      prepared,
      programs(prepared.calls).map((calls) => [calls, []]),
    );
  };
}

/** Every one of these calls, after every other one. */
function pairs(calls: readonly Call[]): Call[][] {
  return calls.flatMap((first) => calls.map((second) => [first, second]));
}

/** A step of an execution is one of the audit's too, which looks at the whole heap. */
const STEPS = 2_000_000;

export const AUDITS: readonly Scenario[] = [
  {
    name: "audit",
    about:
      "every call after every other one on a CPU that dies at any step: an audit finds what it had in hand",
    search: { kind: "exhaustive" },
    limits: { callSteps: 4000, deaths: 1, steps: STEPS },
    prepare: alone((calls) => pairs(Object.values(calls))),
  },
  {
    name: "audit-end",
    about:
      "allocators and groups that end, by a CPU that dies at any step, when another one has given them up, or before",
    search: { kind: "bounded", preemptions: 0 },
    limits: { callSteps: 4000, deaths: 1, steps: STEPS },
    prepare: (library) => {
      const prepared = new AuditClients(library);
      const { destroy, poll, drop, close } = prepared.calls;
      return thesePrograms(prepared, [
        [[destroy, poll], [close]],
        [[destroy, drop, poll, poll], [close]],
        [[destroy, drop, poll, poll], [poll]],
      ]);
    },
  },
  {
    name: "audit-among",
    about: "a CPU dies at any step of a call while another one is in the middle of one: the same",
    search: { kind: "bounded", preemptions: 1 },
    limits: { callSteps: 4000, deaths: 1, steps: STEPS },
    prepare: (library) => {
      const prepared = new AuditClients(library);
      const { alloc, free, freeRcu, poll, kmalloc, kfree } = prepared.calls;
      return thesePrograms(
        prepared,
        [alloc, free, freeRcu, poll, kmalloc].flatMap((first) =>
          [free, freeRcu, poll, kfree].map((second) => [[first], [second]]),
        ),
      );
    },
  },
  {
    name: "audit-owned",
    about:
      "two calls of an owned cache on a CPU that dies at any step: an object without an owner was in hand",
    search: { kind: "exhaustive" },
    limits: { callSteps: 4000, deaths: 1, steps: STEPS },
    prepare: (library) => {
      const prepared = new AuditClients(library, "owned");
      const { alloc, free, freeRcu, rawFree, poll } = prepared.calls;
      const programs = pairs([alloc, free, freeRcu, rawFree, poll]);
      return thesePrograms(
        prepared,
        programs.map((calls) => [calls, []]),
      );
    },
  },
  {
    name: "audit-kthread",
    about: "a CPU whose refills others do, of which one dies at any step: the same",
    search: { kind: "bounded", preemptions: 1 },
    limits: { callSteps: 4000, deaths: 1, steps: STEPS },
    prepare: (library) => {
      const prepared = new AuditedKthread(library, SMALL);
      const { nmi, alloc, help } = prepared.calls;
      return thesePrograms(prepared, [[[nmi, alloc], [help], []]]);
    },
  },
  {
    name: "audit-nested",
    about: "a CPU dies at any step of a call, or of one nested in it at any step",
    search: { kind: "exhaustive" },
    limits: { callSteps: 4000, deaths: 1, nested: 1, steps: STEPS },
    deep: true,
    prepare: alone(({ alloc, free, freeRcu, poll }) => [alloc, free, freeRcu, poll].map((call) => [call]), 2),
  },
];
