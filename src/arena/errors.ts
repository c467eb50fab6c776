/** What went wrong, for programs. Each is described in the README under "Errors". */
export type SharedHeapErrorCode =
  | "bad-context"
  | "bad-name"
  | "bad-option"
  | "bad-pointer"
  | "bad-size"
  | "corrupt"
  | "destroyed"
  | "detached"
  | "double-free"
  | "full"
  | "geometry"
  | "limit"
  | "mismatch"
  | "not-a-heap"
  | "not-shared"
  | "out-of-memory"
  | "rcu-unbalanced"
  | "version"
  | "wrong-cache";

/**
 * A wrong call. The message says what was wrong and what to do; `code` is for programs. Nothing
 * was changed. Running out of memory is not an error: allocations return 0.
 */
export class SharedHeapError extends Error {
  readonly code: SharedHeapErrorCode;

  constructor(code: SharedHeapErrorCode, message: string) {
    super(message);
    this.name = "SharedHeapError";
    this.code = code;
  }
}

/**
 * What a caller gave, for the message of an error. Calls nothing of the value's own: an object's `toString` may throw, or
 * be missing.
 */
export function shown(value: unknown): string {
  if (typeof value === "function") return "a function";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

/** The error of a call through `name`, which this thread had open before it detached. */
export function detachedError(name: string): SharedHeapError {
  return new SharedHeapError("detached", `"${name}": this thread has detached from the heap; attach again`);
}

/** The error of a call through `name`, which some thread destroyed. */
export function destroyedError(name: string): SharedHeapError {
  return new SharedHeapError("destroyed", `"${name}" has been destroyed: open a new one`);
}
