/** Searches of a litmus test, and what they saw. */
import { DEFAULT_LIMITS, type Limits } from "../../check/engine/decisions.ts";
import { Machine } from "../../check/engine/machine.ts";
import type { Violation } from "../../check/engine/violation.ts";
import type { Bounded } from "../../check/strategies/bounded.ts";
import type { Exhaustive } from "../../check/strategies/exhaustive.ts";
import type { Pct, Pos } from "../../check/strategies/sampling.ts";
import type { Litmus } from "./litmus.ts";

export interface Searched {
  readonly outcomes: string[];
  readonly violation: Violation | undefined;
  readonly executions: number;
}

/** Every schedule, within the limits, up to the first violation. */
export function searchAll(
  litmus: Litmus,
  searcher: Exhaustive | Bounded,
  limits: Partial<Limits> = {},
): Searched {
  const machine = new Machine(litmus);
  machine.limits = { ...DEFAULT_LIMITS, ...limits };
  for (;;) {
    const violation = machine.execute(litmus.program, searcher);
    if (violation !== undefined) return { outcomes: [], violation, executions: machine.executions };
    if (machine.sharedGrew) searcher.restart();
    else if (!searcher.next()) break;
  }
  return { outcomes: [...litmus.outcomes].sort(), violation: undefined, executions: machine.executions };
}

/** 2000 schedules. */
export function sample(litmus: Litmus, sampler: Pct | Pos): Searched {
  const machine = new Machine(litmus);
  for (let i = 0; i < 2000; i++) {
    const violation = machine.execute(litmus.program, sampler);
    if (violation !== undefined) return { outcomes: [], violation, executions: i + 1 };
  }
  return { outcomes: [...litmus.outcomes].sort(), violation: undefined, executions: 2000 };
}
