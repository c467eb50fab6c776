/**
 * A trace as the program holds it. Each allocation has an id: 0 for the first in the file, then counting.
 * Slots, which the file uses again and again, are only kept to spread a trace of one thread over workers.
 */
export interface Trace {
  /** In the order of the file: 2 x id for an allocation, 2 x id + 1 for the free of it. */
  operations: Uint32Array;
  /** The thread of each operation. */
  threads: Uint32Array;
  /** By id: the bytes asked for, and the slot. */
  sizes: Uint32Array;
  slots: Uint32Array;
  /** Thread ids are below this. */
  threadCount: number;
  /** True when one thread did everything. */
  singleThread: boolean;
  /** The most that was allocated at one time, in the order of the file. */
  peakBytes: number;
  peakObjects: number;
}

/** What a trace's numbers may be where its header promises nothing narrower. */
export const TRACE_LIMITS = {
  threads: 1024,
  slots: 2 ** 26,
  size: 2 ** 32 - 1,
  /** An id and two flags share a word of a worker's plan. */
  allocations: 2 ** 30,
} as const;
