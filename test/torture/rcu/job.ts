/** What a thread is told. */
import type { HeapToken } from "sharedheap";

export interface Job {
  /** Address of the library. */
  readonly library: string;
  readonly token: HeapToken;
  /** Its number, from 0. */
  readonly thread: number;
  readonly seed: number;
  /** See control.ts. */
  readonly control: Int32Array;
  /** Offset of the first slot in the heap. */
  readonly slots: number;
}
