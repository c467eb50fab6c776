/** Named roots: how threads find each other's objects. */
import type { Directory } from "./directory.ts";
import { SharedHeapError, shown } from "./errors.ts";
import { KIND_ROOT, ROOT_VALUE } from "./layout.ts";
import { checkName } from "./names.ts";

/**
 * A directory of names, each with a value below 2^32 (an offset, usually), shared by all threads.
 * Lock-free; any context. A name stays known for the life of the heap.
 */
export class Roots {
  private readonly directory: Directory;

  constructor(directory: Directory) {
    this.directory = directory;
  }

  /**
   * Sets a root, making it if need be. What the object held before is seen by whoever gets the
   * root after. Errors: `bad-name`, `bad-pointer` (not an integer from 0 to 2^32 - 1), `limit`.
   */
  set(name: string, value: number): void {
    checkName(name);
    if (typeof value !== "number" || value >>> 0 !== value) {
      throw new SharedHeapError("bad-pointer", `root "${name}": ${shown(value)} is not an offset`);
    }
    this.directory.store(this.directory.findOrMake(KIND_ROOT, name), ROOT_VALUE, value | 0);
  }

  /** The value last set, or 0 (NULL) if there is no such root. */
  get(name: string): number {
    const record = this.directory.find(KIND_ROOT, checkName(name));
    return record === 0 ? 0 : this.directory.load(record, ROOT_VALUE) >>> 0;
  }
}
