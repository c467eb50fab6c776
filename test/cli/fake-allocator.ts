/** A small correct allocator for one thread, and ways for it to go wrong. */
import type { Allocator } from "#src/cli/replayer.js";

export interface FakeFaults {
  /** Every n-th object overlaps the one before. */
  overlapEvery?: number;
  /** Every n-th free is forgotten. */
  leakEvery?: number;
  /** Every n-th allocation fails. */
  failEvery?: number;
  /** Every n-th free throws. */
  throwEvery?: number;
}

export class FakeAllocator implements Allocator {
  readonly i32: Int32Array;
  readonly u8: Uint8Array;
  /** Objects held. */
  held = 0;
  readonly #faults: FakeFaults;
  readonly #free = new Map<number, number[]>();
  readonly #sizes = new Map<number, number>();
  #end = 1024;
  #last = 0;
  #allocations = 0;
  #frees = 0;

  constructor(bytes: number, faults: FakeFaults = {}) {
    this.i32 = new Int32Array(new SharedArrayBuffer(bytes));
    this.u8 = new Uint8Array(this.i32.buffer);
    this.#faults = faults;
  }

  allocate(size: number): number {
    const count = ++this.#allocations;
    if (isDue(count, this.#faults.failEvery)) return 0;
    this.held++;
    if (isDue(count, this.#faults.overlapEvery) && this.#last !== 0) return this.#last;
    const room = (size + 15) & ~7;
    const offset = this.#free.get(room)?.pop() ?? this.#end;
    if (offset === this.#end) this.#end += room;
    this.#sizes.set(offset, room);
    this.#last = offset;
    return offset;
  }

  free(offset: number): void {
    const count = ++this.#frees;
    if (isDue(count, this.#faults.throwEvery)) throw new Error("bad-pointer");
    if (isDue(count, this.#faults.leakEvery)) return;
    this.held--;
    const room = this.#sizes.get(offset) as number;
    // An overlapped object is given out no more: the fault is to show in the stamps.
    if (this.#faults.overlapEvery !== undefined) return;
    this.#free.set(room, [...(this.#free.get(room) ?? []), offset]);
  }
}

function isDue(count: number, every: number | undefined): boolean {
  return every !== undefined && count % every === 0;
}
