/** What a thread is told. */
import type { HeapToken } from "sharedheap";

export interface Job {
  /** Address of the library. */
  readonly library: string;
  readonly token: HeapToken;
  /** Its number, from 0, and how many there are. */
  readonly thread: number;
  readonly threads: number;
  readonly seed: number;
  /** See control.ts. */
  readonly control: Int32Array;
  /** See counters.ts. */
  readonly counts: Float64Array;
}

/** The group above all others but those that have no parent. Nobody drops it before the end. */
export const ROOT = "everything";
/** Groups of this beginning have a limit that is never moved. */
export const FIXED_LIMIT = "fixed";
/** One of these, in the root, which all threads charge, and fill. */
export const TIGHT = `${FIXED_LIMIT} for all`;
export const TIGHT_MAX = 128 * 1024;
