/** What the threads of a run are told, and what they answer. */
import { availableParallelism } from "node:os";
import type { HeapToken } from "sharedheap";

/** Rounds that a process measures, after one that warms up. */
export const ROUNDS = 10;
/** What the round that warms up lasts where each thread has a processor, unless all others together are shorter. */
const WARM_UP_MS = 300;

export interface Job {
  readonly token: HeapToken;
  readonly workload: string;
  readonly subject: string;
  readonly thread: number;
  readonly threads: number;
  /** Where the threads meet: see ../threads/control.ts. */
  readonly control: Int32Array;
  /** When each round began, in nanoseconds. */
  readonly begun: BigInt64Array;
  /** Of the workload's own, outside the heap. */
  readonly words: Int32Array;
  /** Milliseconds of a round. */
  readonly ms: number;
}

/** Milliseconds of the round that warms up: each thread, whose code is compiled by itself, gets as much of a processor. */
export function warmUpMs({ ms, threads }: Job): number {
  return Math.min(WARM_UP_MS, ROUNDS * ms) * Math.max(1, threads / availableParallelism());
}

/** What a thread did in a round. */
export interface Part {
  readonly operations: number;
  /** Nanoseconds from the round's begin. */
  readonly took: number;
}

export interface Answer {
  readonly parts: readonly Part[];
}

/** What a process answers: nanoseconds for each operation of all threads, of each round. */
export interface Measured {
  readonly times: readonly number[];
}

/** The round lasts until the last thread is through. */
export function timeOf(parts: readonly Part[]): number {
  const operations = parts.reduce((sum, part) => sum + part.operations, 0);
  return Math.max(...parts.map(({ took }) => took)) / operations;
}
