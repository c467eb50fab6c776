/** The same work on more and more threads, also on more than there are processors. */
import { v8Object } from "../peers/garbage.ts";
import { type Spread, spreadOf } from "../statistics.ts";
import { measureParallel, type ParallelAmount } from "./run.ts";
import { subjectsOf } from "./subjects.ts";
import { SCALED } from "./workloads.ts";

export const SCALE = {
  name: "scale",
  what: "pair64 and ws10k64 on 1, 2, 4, 8 and 16 threads at once, or on --threads N,N...",
};
export const SCALE_THREADS: readonly number[] = [1, 2, 4, 8, 16];
/** What shares nothing, and falls as much as the machine makes it. */
export const SCALE_CONTROL = v8Object.name;
/** Below this part of what it was, throughput has fallen; the rest is the machine's. */
const KEPT = 0.9;

export interface Point {
  readonly threads: number;
  /** Nanoseconds of wall time for each operation of all threads. */
  readonly time: Spread;
}

export interface ScaleResult {
  readonly workload: string;
  readonly subject: string;
  readonly points: readonly Point[];
}

export interface ScaleAmount extends ParallelAmount {
  /** Names of workloads. */
  readonly workloads: readonly string[];
  readonly threads: readonly number[];
}

/** All subjects on all numbers of threads, their processes taking turns. */
export async function runScale({
  workloads,
  threads,
  processes,
  seconds,
}: ScaleAmount): Promise<ScaleResult[]> {
  const chosen = SCALED.filter(({ name }) => workloads.includes(name));
  const runs = chosen.flatMap(({ name: workload, size }) =>
    [...subjectsOf(size, false), SCALE_CONTROL].map((subject) => ({
      workload,
      subject,
      times: threads.map((): number[] => []),
    })),
  );
  for (let process = 0; process < processes; process++) {
    for (const [i, count] of threads.entries()) {
      for (const { workload, subject, times } of runs)
        times[i].push(...(await measureParallel(workload, subject, count, seconds)));
    }
  }
  return runs.map(({ workload, subject, times }) => {
    const points = threads.map((count, i): Point => ({ threads: count, time: spreadOf(times[i]) }));
    return { workload, subject, points };
  });
}

/** Millions of operations a second, of all threads. */
export function throughputOf({ time }: Point): number {
  return 1000 / time.median;
}

/** Whether throughput falls where threads are more than processors: what is left of the best that had no more than those. */
export function keptOf(points: readonly Point[], processors: number): number | undefined {
  const best = (some: readonly Point[], choose: (...values: number[]) => number) =>
    choose(...some.map(throughputOf));
  const [few, many] = [
    points.filter((p) => p.threads <= processors),
    points.filter((p) => p.threads > processors),
  ];
  if (few.length === 0 || many.length === 0) return undefined;
  return best(many, Math.min) / best(few, Math.max);
}

export function hasFallen(kept: number): boolean {
  return kept < KEPT;
}
