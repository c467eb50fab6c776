/** Runs scenarios on several threads, and says how each went. */
import { type LongestCall, longer } from "../engine/progress.ts";
import type { Scenario } from "../scenarios/spec.ts";
import { bar, count, type Output, say } from "./console.ts";
import { writeFinding } from "./found.ts";
import type { Failure, Outcome } from "./job.ts";
import { runJobs } from "./pool.ts";

export interface RunOptions extends Output {
  readonly threads: number;
  readonly packed: boolean;
  /** Folder of the modules to run. */
  readonly root: string;
  /** Where findings are written; undefined: nowhere. */
  readonly found: string | undefined;
}

export interface ScenarioResult {
  readonly name: string;
  readonly strategy: string;
  readonly programs: number;
  readonly schedules: number;
  readonly steps: number;
  readonly exhausted: boolean;
  readonly bound: string;
  /** Which call took most steps of its own, and how many it may take. */
  readonly longestCall: LongestCall & { readonly limit: number };
  readonly failures: readonly string[];
}

export async function runScenario(scenario: Scenario, options: RunOptions): Promise<ScenarioResult> {
  const started = performance.now();
  const parts = Array.from({ length: options.threads }, (_, first) => ({
    scenario: scenario.name,
    root: options.root,
    packed: options.packed,
    first,
    step: options.threads,
  }));
  const outcomes = await runJobs(parts, options.threads, (shares) => bar(scenario.name, Math.max(...shares)));
  const failures = outcomes.flatMap(({ failure }) => (failure === undefined ? [] : [failure]));
  const result = resultOf(scenario, outcomes, failures);
  bar("", 1);
  say(options, `${result.name.padEnd(20)} ${scopeOf(result, outcomes, performance.now() - started)}`);
  for (const failure of failures) sayFailure(scenario, failure, options);
  return result;
}

function resultOf(
  scenario: Scenario,
  outcomes: readonly Outcome[],
  failures: readonly Failure[],
): ScenarioResult {
  const sum = (field: "programs" | "schedules" | "steps"): number =>
    outcomes.reduce((total, outcome) => total + outcome[field], 0);
  return {
    name: scenario.name,
    strategy: scenario.search.kind,
    programs: sum("programs"),
    schedules: sum("schedules"),
    steps: sum("steps"),
    exhausted: outcomes.every(({ exhausted }) => exhausted),
    bound: boundOf(scenario),
    longestCall: {
      ...outcomes.map(({ longestCall }) => longestCall).reduce(longer),
      limit: scenario.limits.callSteps,
    },
    failures: failures.map(({ oracle, token }) => `${oracle} ${token}`),
  };
}

function boundOf({ search, limits }: Scenario): string {
  const parts = [];
  if (search.kind === "bounded") parts.push(`${search.preemptions} preemptions`);
  if (search.kind === "pct") parts.push(`depth ${search.depth}`);
  if (limits.nested) parts.push(`${limits.nested} nested`);
  if (limits.deaths) parts.push(`${limits.deaths} deaths`);
  return parts.join(", ");
}

function scopeOf(result: ScenarioResult, outcomes: readonly Outcome[], ms: number): string {
  const { programs, schedules, steps, exhausted, bound, longestCall } = result;
  const busy = outcomes.reduce((total, outcome) => total + outcome.ms, 0);
  const what = result.failures.length > 0 ? "FAILED after" : exhausted ? "exhausted:" : "sampled:";
  const scope = [
    `${count(programs)} programs`,
    `${count(schedules)} schedules`,
    `${count(steps)} steps`,
    ...(bound === "" ? [] : [bound]),
    `longest call ${longestCall.steps} steps of at most ${longestCall.limit}`,
  ].join(", ");
  return `${what} ${scope}; ${(ms / 1000).toFixed(1)} s, ${(steps / 1000 / busy).toFixed(1)} M steps/s and core`;
}

function sayFailure(scenario: Scenario, failure: Failure, options: RunOptions): void {
  const { text, token, oracle, message, program } = failure;
  const lines = [`\n${text}\n`, `to see it again: npm run check -- --replay ${token}`];
  if (options.found !== undefined) {
    const finding = { scenario: scenario.name, program, oracle, message, token };
    const path = writeFinding(options.found, finding);
    lines.push(`written to ${path}: \`npm test\` searches this program from now on`);
  }
  say(options, `${lines.join("\n")}\n`);
}
