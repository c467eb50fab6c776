/** What a workload is, and what it runs on. */

/** Does that many operations; always asked for a multiple of OPERATIONS_STEP. */
export type Loop = (operations: number) => void;

export const OPERATIONS_STEP = 1000;

/** Two loops that take turns. */
export interface Race {
  readonly reference: Loop;
  readonly subject: Loop;
  /** Throws if something is broken in the end. */
  end(): void;
}

export interface Contestant {
  readonly name: string;
  /** It shall take at most so many times as long as the reference. */
  readonly target: number | undefined;
  /**
   * Makes the loops. It is called once per process, so the loops' variables are constants to the
   * compiler, as they are in a program that keeps its allocator in a `const`.
   */
  begin(): Race | Promise<Race>;
}

export interface Workload {
  readonly name: string;
  /** What one operation is. */
  readonly what: string;
  readonly contestants: readonly Contestant[];
}

/** An allocator as a loop sees it. Offsets are in bytes, as the heap's are. */
export interface Subject {
  alloc(size: number): number;
  free(p: number): void;
}

/** Makes an object of about that many bytes, which the garbage collector takes back, and writes a value into it. */
export type Make = (size: number, value: number) => object;

/** A workload that any allocator can run, against the plain list. */
export interface AllocatorWorkload {
  readonly name: string;
  readonly what: string;
  /** Bytes of every object; undefined where sizes differ. */
  readonly size: number | undefined;
  prepare(subject: Subject, words: Int32Array): Loop;
  /** The same as a program does it that leaves freeing to the garbage collector. */
  prepareGarbage(make: Make): Loop;
}
