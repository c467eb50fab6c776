/** What a workload is, and what it runs on. */

/** An allocator as a loop sees it. Offsets are in bytes, as the heap's are. */
export interface Subject {
  alloc(size: number): number;
  free(p: number): void;
}

/** Does that many operations; always asked for a multiple of OPERATIONS_STEP. */
export type Loop = (operations: number) => void;

export const OPERATIONS_STEP = 1000;

export interface Workload {
  readonly name: string;
  /** What one operation is. */
  readonly what: string;
  /** Bytes of every object; undefined where sizes differ. */
  readonly size: number | undefined;
  /**
   * Makes the loop. It is called once per process, so the loop's variables are constants to the
   * compiler, as they are in a program that keeps its allocator in a `const`.
   */
  prepare(subject: Subject, words: Int32Array): Loop;
}
