/** What a thread is told. */
import type { HeapToken } from "sharedheap";

export interface Job {
  /** Address of the library. */
  readonly library: string;
  readonly token: HeapToken;
  /** Its number, from 0: the survivors', then the victims', each of which has one of its own. */
  readonly thread: number;
  readonly seed: number;
  /** See journal.ts. This thread's own. */
  readonly journal: Int32Array;
  /** See board.ts. All threads'. */
  readonly board: Int32Array;
}
