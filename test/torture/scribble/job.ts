/** What a thread of the scribble fuzz is told, and what it tells. */
import type { WatchedJob } from "../watched-thread.ts";

export interface Job extends WatchedJob {
  /** Address of the library whose accesses are seen: build/src, or a copy of it with a bug planted. */
  readonly watched: string;
  readonly seed: number;
  /** How many heaps, over all threads; the seed of the n-th is seed + n. */
  readonly heaps: number;
  /** The thread stops after so many failures. */
  readonly maxFailures: number;
  readonly threads: number;
}

/** So many heaps in a row, by their seeds, are the same one with different words overwritten. */
export const HEAPS_OF_ONE_KIND = 50;

/** A heap for which something was not as it must be. */
export interface Failure {
  readonly seed: number;
  readonly what: string;
}

export interface Tally {
  heaps: number;
  /** Heaps for which verify had something to report. */
  reported: number;
  /** Words overwritten, over all heaps. */
  words: number;
  /** The most words that one call read, as a share of the heap's. */
  mostReads: number;
  /** Attaches by how they ended: "attached", or the error's code. */
  attaches: Record<string, number>;
  /** The first ones. */
  readonly failures: Failure[];
}

export function newTally(): Tally {
  return { heaps: 0, reported: 0, words: 0, mostReads: 0, attaches: {}, failures: [] };
}
