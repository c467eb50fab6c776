/** What the threads of a run are told, and what they answer. */
import type { HeapToken } from "sharedheap";

/** What readers see of a thread's elements: so many slots, one offset of 4 bytes each. */
export const SLOTS = 1024;
/** Elements that are added before some are deleted, and replaced one after the other. */
export const BATCH = 64;
/** Operations between two polls and looks at the clock. */
export const BURST = 1024;

export const WARM_UP_MS = 300;

export interface Job {
  readonly token: HeapToken;
  readonly workload: string;
  readonly subject: string;
  readonly thread: number;
  /** Without readers. */
  readonly threads: number;
  /** Offset of the slots of thread 0; those of the others follow. */
  readonly slots: number;
  /** Words of the run, outside the heap: see control.ts. */
  readonly control: Int32Array;
  readonly ms: number;
  /** Where a reader pauses between sections: how long. */
  readonly pauseMs: number;
}

export interface Answer {
  /** Operations per second; undefined for threads that are no producers. */
  readonly rate: number | undefined;
}

/** A look at the heap. */
export interface Look {
  readonly pages: number;
  readonly waitingBytes: number;
}

/** What a process answers. */
export interface Measured {
  /** Of all producers, on average. */
  readonly rate: number;
  /** While the producers were timed. */
  readonly looks: readonly Look[];
  readonly peakPages: number;
}
