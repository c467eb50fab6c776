/** Runs mutants, and says whether each was found, by the oracle that its row names. */
import { fileURLToPath } from "node:url";
import { plant } from "../mutants/plant.ts";
import type { Mutant } from "../mutants/table.ts";
import { bar, count, say } from "./console.ts";
import type { Outcome } from "./job.ts";
import { runJobs } from "./pool.ts";
import type { RunOptions, ScenarioResult } from "./scenarios.ts";

const PLANTED = fileURLToPath(new URL("../../mutants", import.meta.url));

export interface MutantResult {
  readonly id: string;
  readonly killed: boolean;
  readonly oracle: string;
  readonly schedules: number;
  readonly ms: number;
  readonly twinExhausted: boolean;
}

/** `twins`: the results of scenarios on the unchanged sources. */
export async function runMutants(
  mutants: readonly Mutant[],
  twins: readonly ScenarioResult[],
  options: RunOptions,
): Promise<MutantResult[]> {
  if (mutants.length === 0) return [];
  say(options, "");
  const jobs = mutants.map((mutant) => ({
    scenario: mutant.scenario,
    root: plant(mutant, options.root, PLANTED),
    packed: false,
    first: 0,
    step: 1,
  }));
  const outcomes = await runJobs(jobs, options.threads, (shares) =>
    bar("mutants", shares.filter((share) => share === 1).length / jobs.length),
  );
  bar("", 1);
  return mutants.map((mutant, i) => {
    const twin = twins.find(({ name }) => name === mutant.scenario);
    const result = resultOf(mutant, outcomes[i], twin);
    say(options, lineOf(mutant, outcomes[i], result, twin));
    return result;
  });
}

function resultOf(mutant: Mutant, outcome: Outcome, twin: ScenarioResult | undefined): MutantResult {
  return {
    id: mutant.id,
    killed: outcome.failure?.oracle === mutant.oracle,
    oracle: mutant.oracle,
    schedules: outcome.schedules,
    ms: Math.round(outcome.ms),
    twinExhausted: twin?.exhausted ?? false,
  };
}

function lineOf(
  mutant: Mutant,
  { failure }: Outcome,
  result: MutantResult,
  twin: ScenarioResult | undefined,
): string {
  const seen =
    failure === undefined
      ? "SURVIVED"
      : result.killed
        ? `killed by ${mutant.oracle}`
        : `SURVIVED: ${failure.oracle} instead of ${mutant.oracle}`;
  return (
    `${mutant.id.padEnd(4)} ${seen}, ${count(result.schedules)} schedules of ${mutant.scenario}, ` +
    `${result.ms} ms${twinText(twin)}: ${mutant.what}`
  );
}

function twinText(twin: ScenarioResult | undefined): string {
  if (twin === undefined) return "";
  if (twin.failures.length > 0) return ", its twin FAILS";
  return `, its twin ${twin.exhausted ? "exhausted" : "sampled"}${twin.bound === "" ? "" : ` with ${twin.bound}`}`;
}
