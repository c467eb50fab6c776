/** Runs them, each subject in child processes of its own, one at a time. */
import { answerOf } from "../answer.ts";
import { type Spread, spreadOf } from "../statistics.ts";
import { type Measured, ROUNDS } from "./job.ts";
import { subjectsOf } from "./subjects.ts";
import { type ParallelWorkload, pair64x2 } from "./workloads.ts";

/** A subject on a workload. */
export interface ParallelResult {
  readonly workload: string;
  readonly subject: string;
  readonly threads: number;
  readonly rounds: number;
  /** Nanoseconds of wall time for each operation of all threads. */
  readonly time: Spread;
  /** Where one thread alone is measured too: how many times as long it takes, process by process. */
  readonly speedup?: Spread;
}

/** How much to measure. */
export interface ParallelAmount {
  /** Processes for each subject. */
  readonly processes: number;
  /** Of a process. */
  readonly seconds: number;
}

export const THREADS = 2;
const CHILD = new URL("child.js", import.meta.url);

export async function measureParallel(
  workload: string,
  subject: string,
  threads: number,
  seconds: number,
): Promise<readonly number[]> {
  return (await answerOf<Measured>(CHILD, argumentsOf(workload, subject, seconds, threads))).times;
}

/** Of a child process. */
export function argumentsOf(workload: string, subject: string, seconds: number, threads = THREADS): string[] {
  return [workload, subject, String(threads), String((seconds * 1000) / ROUNDS)];
}

/** What a subject's processes saw: of both threads, and of one if it was asked. */
interface Seen {
  readonly subject: string;
  readonly times: number[];
  readonly speedups: number[];
}

/** All subjects, their processes taking turns. */
export async function runParallel(
  workload: ParallelWorkload,
  { processes, seconds }: ParallelAmount,
): Promise<ParallelResult[]> {
  const { name, size, alone } = workload;
  const all = subjectsOf(size, alone !== undefined).map((subject): Seen => {
    return { subject, times: [], speedups: [] };
  });
  for (let process = 0; process < processes; process++) {
    for (const { subject, times, speedups } of all) {
      const both = await measureParallel(name, subject, THREADS, seconds);
      times.push(...both);
      if (workload !== pair64x2) continue;
      const one = await measureParallel(name, subject, 1, seconds);
      speedups.push(spreadOf(one).median / spreadOf(both).median);
    }
  }
  return all.map((seen) => parallelResultOf(name, seen));
}

export function parallelResultOf(workload: string, { subject, times, speedups }: Seen): ParallelResult {
  return {
    workload,
    subject,
    threads: THREADS,
    rounds: times.length,
    time: spreadOf(times),
    ...(speedups.length > 0 ? { speedup: spreadOf(speedups) } : {}),
  };
}
