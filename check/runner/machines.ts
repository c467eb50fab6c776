/** A machine for a scenario. */
import { DEFAULT_LIMITS } from "../engine/decisions.ts";
import { Machine } from "../engine/machine.ts";
import type { Scenario } from "../scenarios/spec.ts";

/** A machine with the scenario's limits. */
export function newMachine({ search, limits }: Scenario, prepared: Machine["prepared"]): Machine {
  const machine = new Machine(prepared);
  const preemptions = search.kind === "bounded" ? search.preemptions : Infinity;
  machine.limits = { ...DEFAULT_LIMITS, ...limits, preemptions };
  return machine;
}
