/** What the torture test tells its workers. */
import type { HeapToken } from "sharedheap";

/** Slots through which workers hand objects to each other, of each kind. */
export const RING_SLOTS = 64;
/** Bytes of the fixed-size objects. */
export const FIXED_BYTES = 48;

export interface Job {
  readonly token: HeapToken;
  readonly seed: number;
  readonly operations: number;
  /** RING_SLOTS offsets of blocks from malloc, then RING_SLOTS of fixed-size objects. */
  readonly ring: Int32Array;
  /** NULL is to be expected: the heap is small. */
  readonly mayFail: boolean;
}

/** What a worker did. */
export interface Tally {
  allocs: number;
  frees: number;
  failed: number;
  handed: number;
  attaches: number;
}
