/** Does memory that waits for grace periods stay flat while objects are freed as fast as can be? */
import { mean, measureThreads, type ThreadedAmount } from "./run.ts";

export const BOUNDED = {
  name: "bounded",
  what: "MiB that wait for a grace period, each second, while every thread replaces its elements by freeRcu",
};

export interface BoundedResult {
  readonly workload: string;
  readonly subject: string;
  readonly threads: number;
  /** Thousands of operations that a thread does in a second. */
  readonly rate: number;
  /** MiB that wait for a grace period, looked at each second. */
  readonly waiting: readonly number[];
  /** Of all memory in use, MiB. */
  readonly peak: number;
  readonly firstThird: number;
  readonly lastThird: number;
  readonly isFlat: boolean;
}

/** Full speed: freeRcu with a reader that begins its next section at once. */
const SUBJECT = "freeRcu + reader";
const NO_PAUSE = 0;
const LOOK_MS = 1000;
/** In shorter runs. */
const LEAST_LOOKS = 10;
const MIB = 2 ** 20;
/** The last third may be so many times the first, and so much more: a few chains. What grows evenly comes to 5 times. */
const MAX_GROWTH = 2;
const SLACK_MIB = 0.1;

export async function runBounded(amount: Omit<ThreadedAmount, "processes">): Promise<BoundedResult> {
  const { rate, looks, peakPages } = await measureThreads(
    "overwrite",
    SUBJECT,
    amount,
    NO_PAUSE,
    Math.min(LOOK_MS, (amount.seconds * 1000) / LEAST_LOOKS),
  );
  const waiting = looks.map(({ waitingBytes }) => waitingBytes / MIB);
  return {
    workload: BOUNDED.name,
    subject: SUBJECT,
    threads: amount.threads,
    rate: Math.round(rate / 1000),
    waiting: waiting.map(round),
    peak: round((peakPages * 4096) / MIB),
    ...judge(waiting),
  };
}

export function judge(waiting: readonly number[]) {
  const third = Math.ceil(waiting.length / 3);
  const first = mean(waiting.slice(0, third));
  const last = mean(waiting.slice(-third));
  return {
    firstThird: round(first),
    lastThird: round(last),
    isFlat: last <= first * MAX_GROWTH + SLACK_MIB,
  };
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
