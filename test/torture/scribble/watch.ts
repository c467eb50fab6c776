/**
 * Watches the accesses of the library that runs under the condition `check`: every index must be one of the heap's words,
 * and there may only be so many of them. Who only looks must not write.
 */
import { mayWrite as isWrite, type Op } from "../../../check/engine/operations.ts";
import { performNow, setPerformer } from "../../../check/engine/primitive.ts";

/** An access that must not be. */
export class Wrong extends Error {}

export interface Limits {
  /** Words of the heap. */
  readonly words: Int32Array;
  readonly maxReads: number;
  readonly mayWrite: boolean;
}

/** What `call` returned or threw, and how often it read. */
export interface Watched<T> {
  readonly result: T | undefined;
  readonly error: unknown;
  readonly reads: number;
}

/** Runs `call`, whose accesses throw `Wrong` when they pass the limits. */
export function watch<T>({ words, maxReads, mayWrite }: Limits, call: () => T): Watched<T> {
  let reads = 0;
  const access = (op: Op, at: number, a: number, b: number): number => {
    if (!(Number.isInteger(at) && at >= 0 && at < words.length))
      throw new Wrong(`an access to word ${at} of ${words.length}`);
    if (!mayWrite && isWrite(op)) throw new Wrong(`a write to word ${at}`);
    if (++reads > maxReads) throw new Wrong(`still running after ${maxReads} reads`);
    return performNow(words, op, at, a, b);
  };
  setPerformer({ access });
  try {
    return { result: call(), error: undefined, reads };
  } catch (error) {
    return { result: undefined, error, reads };
  } finally {
    setPerformer(undefined);
  }
}
