/** The kinds of steps a CPU can take. */

export const LOAD = 0;
export const STORE = 1;
export const CAS = 2;
export const XCHG = 3;
export const ADD = 4;
export const OR = 5;
/** From here on plain accesses, of words that no other CPU may touch at the time. */
export const READ = 6;
export const WRITE = 7;
/** Zeroes `a` words from `at` on. One step. */
export const ZERO = 8;

export type Op = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

export const OP_NAMES = ["load", "store", "cas", "xchg", "add", "or", "read", "write", "zero"] as const;

export function isAtomic(op: Op): boolean {
  return op < READ;
}

/** True if the step may change memory. (A CAS that fails does not, but who knows beforehand.) */
export function mayWrite(op: Op): boolean {
  return op !== LOAD && op !== READ;
}

/** True if the step, which returned `value`, may have changed memory: a CAS that failed did not. */
export function wrote(op: Op, value: number, expected: number): boolean {
  return mayWrite(op) && !(op === CAS && value !== (expected | 0));
}

/** Tells apart steps of different kinds or on different words. */
export function keyOf(op: Op, at: number): number {
  return at * 16 + op;
}
