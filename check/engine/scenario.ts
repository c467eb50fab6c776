/** What the machine runs: a few CPUs, each with a list of calls, over memory that was set up once. */

/** One top-level (or nested) call of the code under test. */
export interface Call {
  readonly name: string;
  /**
   * Runs once when the call begins, before its first step: decides, from what this CPU holds, what the
   * call is about. The value is passed to `run`, which may be executed many times.
   */
  begin?(cpu: number): number;
  /** The call itself: deterministic, all its effects in the model's memory. */
  run(cpu: number, argument: number): number;
  /** Runs once when the call has returned. Looks at the result, books it, throws a Violation if it is wrong. */
  done?(cpu: number, argument: number, result: number): void;
}

/** A scenario, set up: the machine executes it again and again. */
export interface Prepared {
  readonly words: Int32Array;
  readonly cpus: number;
  /** Where deaths are told: the word of CPU 0, those of the others follow. A CPU that dies stores 1 in its own one. */
  readonly obituaries?: number;
  /** The calls that a nested context may make, at any step. */
  readonly nested: readonly Call[];
  /** Makes the books of the oracles what they were at the start. */
  reset(): void;
  /** A number that tells apart what a CPU holds between calls; 0 if nothing but memory matters. */
  fingerprint(cpu: number): number;
  /** All CPUs are done, dead or frozen: brings the heap to rest, by steps that are not scheduled. */
  quiesce?(dead: readonly number[]): void;
  /** After that: throws a Violation if anything is not as it must be. */
  finish(dead: readonly number[]): void;
}

/** The word in which a CPU's death is told, or -1. */
export function obituaryOf({ obituaries }: Prepared, cpu: number): number {
  return obituaries === undefined ? -1 : obituaries + cpu;
}

/** The calls of each CPU. */
export type Program = readonly (readonly Call[])[];
