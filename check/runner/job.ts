/** What the runner's threads do: part of a scenario's programs, on the sources or on a mutant. */
import type { Machine } from "../engine/machine.ts";
import type { LongestCall } from "../engine/progress.ts";
import type { Violation } from "../engine/violation.ts";
import type { Library } from "../library.ts";
import type { Scenario } from "../scenarios/spec.ts";
import { deviationsOf, minimise } from "../strategies/replay.ts";
import { textOf } from "./found.ts";
import { newMachine } from "./machines.ts";
import { report } from "./report.ts";
import { search } from "./search.ts";
import { encodeToken } from "./token.ts";

export interface Part {
  /** Programs number `first`, `first + step`, ... */
  readonly first: number;
  readonly step: number;
}

export interface Failure {
  /** The calls of each CPU. */
  readonly program: string;
  readonly oracle: string;
  readonly message: string;
  readonly token: string;
  readonly text: string;
}

export interface Outcome {
  readonly programs: number;
  readonly schedules: number;
  readonly steps: number;
  readonly exhausted: boolean;
  readonly longestCall: LongestCall;
  readonly ms: number;
  readonly failure: Failure | undefined;
}

/** Samples of a scenario with more programs than this take every n-th. */
const MAX_SAMPLED_PROGRAMS = 4_000;

/** Runs part of a scenario; stops at the first failure. `progress` gets the share done, now and then. */
export function runPart(
  library: Library,
  scenario: Scenario,
  part: Part,
  progress: (share: number) => void,
): Outcome {
  const started = performance.now();
  const ready = scenario.prepare(library);
  const machine = newMachine(scenario, ready.prepared);
  const stride = isSampling(scenario) ? Math.ceil(ready.programs / MAX_SAMPLED_PROGRAMS) : 1;
  let programs = 0;
  let exhausted = !isSampling(scenario);
  let failure: Failure | undefined;
  for (let i = part.first * stride; i < ready.programs && failure === undefined; i += part.step * stride) {
    const program = ready.program(i);
    const found = search(machine, program, scenario.search, i + 1, () => true);
    programs++;
    if (!found.exhausted) exhausted = false;
    if (found.violation !== undefined)
      failure = explain(machine, scenario, i, found.violation, ready.program(i));
    if (programs % 16 === 0) progress(i / ready.programs);
  }
  const { executions: schedules, totalSteps: steps } = machine;
  const { longest: longestCall } = machine.progress;
  return { programs, schedules, steps, exhausted, longestCall, ms: performance.now() - started, failure };
}

function isSampling(scenario: Scenario): boolean {
  return scenario.search.kind === "pct" || scenario.search.kind === "pos";
}

/** The smallest schedule that fails in the same way, and how to see it again. */
function explain(
  machine: Machine,
  scenario: Scenario,
  program: number,
  violation: Violation,
  calls: Parameters<Machine["execute"]>[0],
): Failure {
  const all = deviationsOf(machine, calls);
  const few = minimise(machine, calls, all, violation.oracle);
  const token = encodeToken({ scenario: scenario.name, program, deviations: few });
  const { oracle, message } = violation;
  return { program: textOf(calls), oracle, message, token, text: report(machine, calls, few) };
}
