/** The scenarios of audits. */
import type { Call } from "../engine/scenario.ts";
import { AuditClients } from "./audit.ts";
import { type Scenario, thesePrograms } from "./spec.ts";

type Calls = AuditClients["calls"];

/** Programs of CPU 0, each alone. */
function alone(programs: (calls: Calls) => readonly (readonly Call[])[]): Scenario["prepare"] {
  return (library) => {
    const prepared = new AuditClients(library);
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
];
