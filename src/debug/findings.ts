/**
 * What was found on the way, and is to be told: by a throw at the end of the next call that may throw for it. Alloc and
 * callbacks must go on, and what they find is not about them.
 */
import { SharedHeapError } from "../arena/index.ts";

/** More than so many are of no use. */
const MAX_FINDINGS = 100;

export class Findings {
  private found: SharedHeapError[] = [];
  private readonly wake: () => void;

  /** `wake` is called when there is something to be told: a turn does. */
  constructor(wake: () => void) {
    this.wake = wake;
  }

  add(error: SharedHeapError): void {
    if (this.found.length < MAX_FINDINGS) this.found.push(error);
    this.wake();
  }

  /** All that is to be told, as one error; undefined: nothing. From here on it has been told. */
  take(): SharedHeapError | undefined {
    const { found } = this;
    if (found.length < 2) return found.pop();
    this.found = [];
    return new SharedHeapError("corrupt", found.map(({ message }) => message).join("\n"));
  }

  /** Throws it. */
  tell(): void {
    const error = this.take();
    if (error !== undefined) throw error;
  }
}
