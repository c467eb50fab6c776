/** Threads that give their slots to the next one and go on with those of the one before, all at the same moment. */
import { pauseAfter } from "./ring.ts";

// a cache line for each
const ARRIVED = 0;
/** The number of the swap that ends the round. */
const LAST = 16;
const NOBODY_WRITES = 32;
const FIRST_SLOT = 64;

export function swapWords(threads: number, slots: number): number {
  return FIRST_SLOT + threads * slots;
}

export class Swaps {
  private readonly words: Int32Array;
  private readonly thread: number;
  private readonly threads: number;
  private swaps = 0;
  private readonly arrays: readonly Int32Array[];

  constructor(words: Int32Array, thread: number, threads: number, slots: number) {
    this.words = words;
    this.thread = thread;
    this.threads = threads;
    this.arrays = Array.from({ length: threads }, (_, i) => {
      const first = FIRST_SLOT + i * slots;
      return words.subarray(first, first + slots);
    });
  }

  /** The slots that are this thread's now. */
  get slots(): Int32Array {
    return this.arrays[(this.thread + this.swaps) % this.threads];
  }

  /** Waits for the others, looking again and again. The first thread says whether it is the last time; all are told that. */
  swap(isLast: boolean): boolean {
    const { words, threads, thread } = this;
    const swap = ++this.swaps;
    // the number, and no flag: a thread that goes on may get to its next swap before another one looks here
    if (thread === 0 && isLast) Atomics.store(words, LAST, swap);
    Atomics.add(words, ARRIVED, 1);
    for (let look = 0; ((Atomics.load(words, ARRIVED) - swap * threads) | 0) < 0; look++)
      pauseAfter(words, look, NOBODY_WRITES);
    return Atomics.load(words, LAST) === swap;
  }
}
