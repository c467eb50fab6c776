/** What the two threads are told: the one that works, and the one that takes what it can. */
import type { HeapToken } from "sharedheap";

export interface Job {
  readonly token: HeapToken;
  /** See MODE, GO and DONE. */
  readonly control: Int32Array;
}

/** What the second thread does: one of IDLE, BURN, ATTACK; negative: it ends. */
export const MODE = 0;
/** What it is doing: it says so when it has changed over. */
export const DOING = 1;
/** Rounds that the first thread is to do; negative: it ends. And those that it has done. */
export const GO = 2;
export const DONE = 3;
/** Allocations of the first thread that returned NULL. */
export const NULLS = 4;
/** Allocations of the second one that did, in thousands: it hits its limit. */
export const HITS = 5;
export const CONTROL_WORDS = 6;

/** It computes, and does not allocate. */
export const BURN = 1;
/** It allocates until NULL, frees all, and begins again. */
export const ATTACK = 2;

export const TENANTS = ["works", "attacks"] as const;
/** Most that either tenant may have. */
export const MAX_BYTES = 2 ** 20;
/** Operations of a round. */
export const OPERATIONS = 100_000;
