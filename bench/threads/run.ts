/** Runs workloads of several threads, each subject in child processes of its own, one at a time. */
import { answerOf, UNCHECKED } from "../answer.ts";
import { type Spread, spreadOf } from "../statistics.ts";
import { CALLBACKS, POOL, SUBJECTS, type Subject } from "./elements.ts";
import type { Measured } from "./job.ts";
import type { ThreadedWorkload } from "./workloads.ts";

/** A subject on a workload. */
export interface ThreadedResult {
  readonly workload: string;
  readonly subject: string;
  readonly threads: number;
  readonly processes: number;
  /** Thousands of operations that a producer does in a second. */
  readonly rate: Spread;
  /** Memory in use, MiB: over the time that is measured, and the most there ever was. */
  readonly average: Spread;
  readonly peak: Spread;
  /** Of the rates in the same round: over the preallocated pool's, and over one callback for each object if that was measured. */
  readonly toPool: Spread;
  readonly toCallbacks: Spread | undefined;
}

/** How much to measure. */
export interface ThreadedAmount {
  readonly processes: number;
  readonly threads: number;
  readonly seconds: number;
}

/** Milliseconds between a reader's sections: it is to be there, and not to take a producer's processor. */
const PAUSE_MS = 0.2;
/** Between looks at the heap, which take time themselves. */
const LOOK_MS = 50;
const PAGE_MIB = 4096 / 2 ** 20;
const CHILD = "build/bench/threads/child.js";
const PROJECT = new URL("../../../", import.meta.url);

/** `copy`: of the project, where it is another library that is measured. */
export async function measureThreads(
  workload: string,
  subject: string,
  { threads, seconds }: Omit<ThreadedAmount, "processes">,
  pauseMs: number,
  lookMs: number,
  copy?: URL,
): Promise<Measured> {
  const amounts = [threads, seconds * 1000, pauseMs, lookMs].map(String);
  const unchecked = copy === undefined ? [] : [UNCHECKED];
  return answerOf(new URL(CHILD, copy ?? PROJECT), [workload, subject, ...amounts, ...unchecked]);
}

/** All subjects of a workload, their processes taking turns. */
export async function runThreaded(
  workload: ThreadedWorkload,
  amount: ThreadedAmount,
): Promise<ThreadedResult[]> {
  const rounds: Map<string, Measured>[] = [];
  for (let process = 0; process < amount.processes; process++)
    rounds.push(await measureRound(workload, SUBJECTS, amount));
  return SUBJECTS.map(({ name }) => threadedResultOf(workload.name, name, amount.threads, rounds));
}

/** Each subject once. `copy`: as for measureThreads. */
export async function measureRound(
  workload: ThreadedWorkload,
  subjects: readonly Subject[],
  amount: ThreadedAmount,
  copy?: URL,
): Promise<Map<string, Measured>> {
  const round = new Map<string, Measured>();
  for (const { name } of subjects)
    round.set(name, await measureThreads(workload.name, name, amount, PAUSE_MS, LOOK_MS, copy));
  return round;
}

export function threadedResultOf(
  workload: string,
  subject: string,
  threads: number,
  rounds: readonly ReadonlyMap<string, Measured>[],
): ThreadedResult {
  const spread = (value: (measured: Measured, round: ReadonlyMap<string, Measured>) => number) =>
    spreadOf(rounds.map((round) => value(of(round, subject), round)));
  return {
    workload,
    subject,
    threads,
    processes: rounds.length,
    rate: spread(({ rate }) => rate / 1000),
    average: spread(({ looks }) => mean(looks.map(({ pages }) => pages)) * PAGE_MIB),
    peak: spread(({ peakPages }) => peakPages * PAGE_MIB),
    toPool: spread(({ rate }, round) => rate / of(round, POOL).rate),
    toCallbacks: rounds[0].has(CALLBACKS)
      ? spread(({ rate }, round) => rate / of(round, CALLBACKS).rate)
      : undefined,
  };
}

function of(round: ReadonlyMap<string, Measured>, subject: string): Measured {
  const measured = round.get(subject);
  if (measured === undefined) throw new Error(`${subject} was not measured`);
  return measured;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0) / values.length;
}
