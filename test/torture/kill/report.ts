/** A run's result as text. */
import { type Latency, MAX_RATIO } from "./latency.ts";
import type { RunResult } from "./run.ts";
import { JUDGED_DEATHS } from "./verdict.ts";

export function reportText({ seconds, counts, latency, books, failures }: RunResult): string {
  const {
    deaths,
    withCpu,
    reaped,
    reapedBySurvivors,
    calls,
    callsOfVictims,
    inherited,
    reclaimed,
    activities,
  } = counts;
  const doing = Object.entries(activities).sort(([, a], [, b]) => b - a);
  return [
    `deaths      ${number(deaths)}, ${number(withCpu)} of them with a CPU; reaped by the starter ${number(reaped)}, ` +
      `by survivors ${number(reapedBySurvivors)}`,
    `in          ${doing.map(([name, count]) => `${name} ${count}`).join(", ")}`,
    `calls       ${number(calls)} by survivors, ${number(callsOfVictims)} by those who died`,
    `inherited   ${number(inherited)} objects of dead programs, found as they had been left; ` +
      `${number(reclaimed)} reclaimed, all that were owned`,
    ...(books === undefined
      ? []
      : [
          `objects     ${number(books.taken)} taken = ${number(books.listed)} listed + ${number(books.held)} held + ` +
            `${books.leaked} of allocators that are gone + ${books.unknown} not known + ${books.inHand} in hand at death`,
          `blocks      ${number(books.blocks)} held + ${books.unknownBlocks} not known`,
        ]),
    ...(latency === undefined ? [] : latencyText(latency, deaths)),
    "",
    ...(failures.length === 0
      ? [`passed: ${number(deaths)} deaths in ${seconds.toFixed(0)} s`]
      : failures.map((failure) => `FAILED after ${seconds.toFixed(1)} s: ${failure}`)),
  ].join("\n");
}

/** What is going on, in one line. */
export function progressText(seconds: number, deaths: number, of: number): string {
  return `${seconds.toFixed(0).padStart(4)} s  ${number(deaths)} of ${number(of)} deaths`;
}

function latencyText({ calls, p50, p999, ratio }: Latency, deaths: number): string[] {
  const judged = deaths >= JUDGED_DEATHS ? `${MAX_RATIO} is allowed` : "not judged in so short a run";
  return [
    `latency     of ${number(calls[0])} calls while threads died: p50 ${number(p50[0])} ns, p99.9 ${number(p999[0])} ns; ` +
      `of ${number(calls[1])} while others did: ${number(p50[1])}, ${number(p999[1])}`,
    `            ratio ${ratio.toFixed(2)} at p99.9; ${judged}`,
  ];
}

function number(n: number): string {
  return n.toLocaleString("en");
}
