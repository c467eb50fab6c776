/** What a replay worker is started with, and what it answers. */
import type { SharedHeap } from "../index.ts";
import type { AllocatorName } from "./arguments.ts";
import type { Control } from "./control.ts";
import type { Tally } from "./replayer.ts";

export interface ReplayJob {
  token: SharedHeap["token"];
  alloc: AllocatorName;
  worker: number;
  workers: number;
  repeat: number;
  /** This worker's part of the plan, and the plan's sizes. */
  operations: Uint32Array;
  sizes: Uint32Array;
  /** The words of the hand-over, one per allocation. */
  offsets: Int32Array;
  control: Control;
}

/** Sent once, after the worker gave back its part of the heap. */
export interface ReplayDone {
  tally: Tally;
}
