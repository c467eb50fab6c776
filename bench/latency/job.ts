/** What the threads of a run are told, and what they answer. */
import type { HeapToken } from "sharedheap";
import type { Seen } from "./probe.ts";

export const WARM_UP_MS = 300;
/** The allocator that all threads use. */
export const POOL = "pool";

export interface Job {
  readonly token: HeapToken;
  /** From 0; the last one measures, all others run ws10k. */
  readonly thread: number;
  /** All of them. */
  readonly all: number;
  /** Words that the threads share outside the heap. */
  readonly control: Int32Array;
  readonly ms: number;
}

/** Of the thread that measures, or of one of the others: operations per second. */
export type Answer = { readonly seen: Seen } | { readonly rate: number };

/** What a process answers. */
export interface Measured {
  readonly seen: Seen;
  /** Of the other threads, on average. */
  readonly rate: number;
}
