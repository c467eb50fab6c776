/** Errors that are to be expected. */
import type { Counter, Tally } from "./counters.ts";

/** Each is counted. */
const COUNTERS = {
  /** No room for another name: there will be when something has gone. */
  limit: "limits",
  /** Another thread has ended the group or allocator. */
  destroyed: "overtaken",
  /** A new allocator's first objects were refused. */
  "out-of-memory": "refused",
} as const satisfies Record<string, Counter>;

export type Code = keyof typeof COUNTERS;

/** What `call` returns, or undefined if it was refused with one of these codes. Other errors are passed on. */
export function attempt<T>(tally: Tally, codes: readonly Code[], call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    // by its code: a library with a planted bug has a class of its own
    const code = codes.find((each) => each === (error as { code?: unknown }).code);
    if (code === undefined) throw error;
    tally.add(COUNTERS[code]);
    return undefined;
  }
}

/** Throws unless `call` throws an error of that code. */
export function mustRefuse(code: Code, call: () => unknown): void {
  try {
    call();
  } catch (error) {
    if ((error as { code?: unknown }).code === code) return;
    throw error;
  }
  throw new Error(`no error "${code}" from ${call}`);
}
