/** Runs the workload in processes, one at a time, and adds up what they saw. */
import { answerOf } from "../answer.ts";
import { mean, type ThreadedAmount } from "../threads/run.ts";
import { merged, octavesOf, quantileOf, type Recorded, totalOf } from "./histogram.ts";
import type { Measured } from "./job.ts";

export const LATENCY = {
  name: "latency",
  what: "MemAlloc: alloc and free in a declared NMI context, while other threads run ws10k; one by one",
};

/** Times in nanoseconds. */
export interface Distribution {
  readonly subject: string;
  readonly samples: number;
  readonly p50: number;
  readonly p99: number;
  readonly p9999: number;
  readonly max: number;
  /** Element n: how many samples took from 2^n to 2^(n+1) - 1; the first one also has 0. */
  readonly histogram: readonly number[];
}

export interface LatencyResult {
  readonly workload: string;
  /** Beside the one that measures. */
  readonly threads: number;
  readonly processes: number;
  /** Allocations that returned NULL. */
  readonly nulls: number;
  /** Garbage collections that are in some sample. */
  readonly collections: number;
  /** Thousands of operations that each of the other threads did in a second. */
  readonly rate: number;
  /** Ours, and the same loop without the calls. */
  readonly distributions: readonly Distribution[];
}

const CHILD = new URL("child.js", import.meta.url);
/** For collections between bursts: see probe.ts. */
const FLAGS = ["--expose-gc"];

export async function runLatency({ processes, threads, seconds }: ThreadedAmount): Promise<LatencyResult> {
  const answers: Measured[] = [];
  for (let process = 0; process < processes; process++)
    answers.push(await answerOf<Measured>(CHILD, [String(threads), String(seconds * 1000)], FLAGS));
  return latencyResultOf(threads, answers);
}

export function latencyResultOf(threads: number, answers: readonly Measured[]): LatencyResult {
  const seen = answers.map((answer) => answer.seen);
  const count = (of: (one: Measured["seen"]) => number) => seen.reduce((total, one) => total + of(one), 0);
  return {
    workload: LATENCY.name,
    threads,
    processes: answers.length,
    nulls: count(({ nulls }) => nulls),
    collections: count(({ collections }) => collections),
    rate: Math.round(mean(answers.map(({ rate }) => rate)) / 1000),
    distributions: [
      distributionOf("alloc, free", merged(seen.map(({ ours }) => ours))),
      distributionOf("control", merged(seen.map(({ control }) => control))),
    ],
  };
}

function distributionOf(subject: string, recorded: Recorded): Distribution {
  return {
    subject,
    samples: totalOf(recorded),
    p50: quantileOf(recorded, 0.5),
    p99: quantileOf(recorded, 0.99),
    p9999: quantileOf(recorded, 0.9999),
    max: Math.round(recorded.max),
    histogram: octavesOf(recorded),
  };
}
