/** What is wrong with a run in which nobody found anything. */
import { type Latency, MAX_RATIO } from "./latency.ts";
import type { Counts } from "./run.ts";

/** From so many deaths on the survivors' latency is judged. */
export const JUDGED_DEATHS = 500;
/** Fewer calls before a death, on average, and the run shows nothing. */
const LEAST_CALLS = 20;

export function findWeaknesses(deaths: number, counts: Counts, latency: Latency): string[] {
  const problems: string[] = [];
  const { withCpu, reaped, reapedBySurvivors, callsOfVictims } = counts;
  if (reaped + reapedBySurvivors < withCpu)
    problems.push(`${withCpu} threads died with a CPU, ${reaped + reapedBySurvivors} were reaped`);
  if (reaped + reapedBySurvivors > deaths)
    problems.push(`${deaths} threads died, ${reaped + reapedBySurvivors} were reaped`);
  if (callsOfVictims < LEAST_CALLS * deaths)
    problems.push(`threads made ${callsOfVictims} calls before ${deaths} deaths: too few to mean anything`);
  if (deaths >= JUDGED_DEATHS && latency.ratio > MAX_RATIO)
    problems.push(
      `99.9 of 100 calls of survivors took up to ${latency.p999[0]} ns while threads died, ${latency.p999[1]} ns ` +
        `otherwise: ${latency.ratio.toFixed(2)} times as long; ${MAX_RATIO} is allowed`,
    );
  return problems;
}
