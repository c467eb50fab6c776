/** Where a thread works: its heap, its slots, its neighbours. */
import { rcuAssignPointer, SharedHeap } from "sharedheap";
import { type Job, SLOTS } from "./job.ts";

/** An element: a key and a value of 8 bytes each. */
export const ELEMENT_BYTES = 16;

export class Place {
  readonly heap: SharedHeap;
  readonly thread: number;
  readonly threads: number;
  readonly control: Int32Array;
  /** Offset of this thread's slots. */
  readonly slots: number;

  constructor({ token, thread, threads, control, slots }: Job) {
    this.heap = SharedHeap.attach(token);
    this.thread = thread;
    this.threads = threads;
    this.control = control;
    this.slots = slots + thread * SLOTS * 4;
  }

  /** The offset of another thread's slots. */
  slotsOf(thread: number): number {
    return this.slots + (thread - this.thread) * SLOTS * 4;
  }

  /** Writes an element and publishes it in a slot of `slots`. */
  publish(slots: number, slot: number, p: number, key: number): void {
    if (p === 0) throw new Error("out of memory");
    const { f64 } = this.heap;
    f64[p >>> 3] = key;
    f64[(p >>> 3) + 1] = -key;
    rcuAssignPointer(this.heap, slots + slot * 4, p);
  }

  /** What is in a slot that nobody else writes to. */
  at(slots: number, slot: number): number {
    return this.heap.u32[(slots >>> 2) + slot];
  }
}
