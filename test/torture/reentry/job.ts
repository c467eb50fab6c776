/** What a thread of the fuzz is told, and what it tells. */
import type { HeapToken } from "sharedheap";

export interface Job {
  /** Address of the library. */
  readonly library: string;
  readonly token: HeapToken;
  /** Its number, from 0. */
  readonly thread: number;
  readonly seed: number;
  /** How many operations it makes, at all depths together. */
  readonly operations: number;
  /** A word for each thread: operations made, in thousands. */
  readonly progress: Int32Array;
}

/** Deepest nesting of handlers. */
export const MAX_DEPTH = 4;
/** Bytes of the fixed-size objects. */
export const FIXED_BYTES = 48;

export interface Tally {
  /** Operations, by the depth of handlers that they were made at. */
  readonly byDepth: number[];
  /** Calls of each tracepoint's handler. */
  readonly calls: Record<string, number>;
  /** Allocations that got NULL: in handlers, where the stock was used up, or what they needed was in use; or in a full group. */
  nulls: number;
}
