/** What the thread of the misuse fuzz is told, and what it tells. */
import type { WatchedJob } from "../watched-thread.ts";

/** Wrong calls in one heap; then another one is made. */
export const CALLS_OF_A_HEAP = 20_000;

export interface Job extends WatchedJob {
  /** Address of the library. */
  readonly library: string;
  /** Of the first heap; that of the next ones counts up. */
  readonly seed: number;
  /** Wrong calls, in all heaps together. */
  readonly calls: number;
  readonly maxFailures: number;
}

export interface Failure {
  readonly seed: number;
  readonly what: string;
}

export interface Tally {
  /** Wrong calls. */
  calls: number;
  /** Right ones among them. */
  rightCalls: number;
  /** By the kind of adversary, and what was answered. */
  readonly answers: Record<string, Record<string, number>>;
  readonly failures: Failure[];
}

export function newTally(): Tally {
  return { calls: 0, rightCalls: 0, answers: {}, failures: [] };
}
