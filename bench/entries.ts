/** What is kept of a workload: for each subject its nanoseconds per operation, and what goes with them. */
import type { ParallelResult } from "./parallel/run.ts";
import type { Result } from "./run.ts";
import type { Spread } from "./statistics.ts";

/** Nanoseconds per operation; of all threads together where there are several. */
export interface Entry extends Spread {
  readonly rounds: number;
  /** Of the reference, in the same rounds; and of the ratios of each round. */
  readonly reference?: Spread;
  readonly ratio?: Spread;
  readonly target?: number;
  readonly met?: boolean;
  readonly threads?: number;
  /** How many times as long one thread alone takes. */
  readonly speedup?: Spread;
}

/** By subject. */
export type Entries = Readonly<Record<string, Entry>>;

/** By workload. */
export type Workloads = Readonly<Record<string, Entries>>;

/** The allocator for any size is what a program gets that does not choose. */
export const OURS = "sharedheap";
const OUR_SUBJECT = "MemAlloc";
/** What a workload takes by itself, see floor.ts. */
export const NO_ALLOCATOR = "no allocator";

function entryName(subject: string): string {
  return subject === OUR_SUBJECT ? OURS : subject;
}

/** As tables call it. */
export function subjectName(entry: string): string {
  return entry === OURS ? OUR_SUBJECT : entry;
}

export function workloadsOf(results: readonly Result[], parallel: readonly ParallelResult[]): Workloads {
  const workloads: Record<string, Record<string, Entry>> = {};
  for (const { workload, subject, time, ...others } of [...results, ...parallel]) {
    workloads[workload] ??= {};
    workloads[workload][entryName(subject)] = { ...time, ...others };
  }
  return workloads;
}
