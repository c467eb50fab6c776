/** What a thread that counts is told. */
import type { HeapToken } from "sharedheap";

export interface Job {
  readonly token: HeapToken;
  /** true: in a per-CPU counter; false: in one word that all threads add to. */
  readonly isPercpu: boolean;
  /** Offset of the counter, or of the word. */
  readonly at: number;
  /** Adds of a round. */
  readonly adds: number;
  /** See GO and DONE. */
  readonly control: Int32Array;
}

/** Number of the round that may begin; negative: no more. */
export const GO = 0;
/** Threads that are through with it. */
export const DONE = 1;
