/** Collects operations into a trace, gives each allocation its id, and refuses what cannot have happened. */
import { Column } from "./column.ts";
import { TRACE_LIMITS, type Trace } from "./trace.ts";
import { TraceError } from "./trace-error.ts";
import type { TraceHeader } from "./trace-header.ts";

export class TraceBuilder {
  readonly #operations = new Column();
  readonly #threads = new Column();
  readonly #sizes = new Column();
  readonly #slots = new Column();
  /** By slot: the id of the object in it, plus 1. */
  readonly #objectIn = new Column();
  readonly #seen = new Set<number>();
  #lastThread = -1;
  #bytes = 0;
  #objects = 0;
  #peakBytes = 0;
  #peakObjects = 0;

  get operations(): number {
    return this.#operations.length;
  }

  get allocations(): number {
    return this.#sizes.length;
  }

  allocate(slot: number, size: number, thread: number): void {
    if (this.#objectIn.get(slot) !== 0) throw new TraceError(`slot ${slot} is allocated already`);
    const id = this.#sizes.length;
    if (id === TRACE_LIMITS.allocations) throw new TraceError(`more than ${id} allocations`);
    this.#sizes.push(size);
    this.#slots.push(slot);
    this.#objectIn.set(slot, id + 1);
    this.#add(id * 2, thread);
    this.#bytes += size;
    this.#objects++;
    if (this.#bytes > this.#peakBytes) this.#peakBytes = this.#bytes;
    if (this.#objects > this.#peakObjects) this.#peakObjects = this.#objects;
  }

  free(slot: number, thread: number): void {
    const id = this.#objectIn.get(slot) - 1;
    if (id < 0) throw new TraceError(`free of slot ${slot}, which is not allocated`);
    this.#objectIn.set(slot, 0);
    this.#add(id * 2 + 1, thread);
    this.#bytes -= this.#sizes.get(id);
    this.#objects--;
  }

  finish(header: TraceHeader): Trace {
    const highest = this.#seen.size === 0 ? -1 : Math.max(...this.#seen);
    return {
      operations: this.#operations.finish(),
      threads: this.#threads.finish(),
      sizes: this.#sizes.finish(),
      slots: this.#slots.finish(),
      threadCount: header.threads < 0 ? highest + 1 : header.threads,
      singleThread: this.#seen.size === 1,
      peakBytes: this.#peakBytes,
      peakObjects: this.#peakObjects,
    };
  }

  #add(operation: number, thread: number): void {
    this.#operations.push(operation);
    this.#threads.push(thread);
    // Threads run for a while: most lines are spared the look into the set.
    if (thread !== this.#lastThread) {
      this.#lastThread = thread;
      this.#seen.add(thread);
    }
  }
}
