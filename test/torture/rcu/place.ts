/** Where a thread is among the others, and where the slots are. */
import type { Control } from "./control.ts";

export interface Place {
  readonly control: Control;
  /** Number of the thread. */
  readonly thread: number;
  /** Offset of the first slot in the heap. */
  readonly slots: number;
}
