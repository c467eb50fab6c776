/** Objects on their way from one thread to another: a ring of offsets, of which each 64th is told. Who finds nothing looks again. */

/** Offsets that are put, or taken, between two looks at what the other thread did. */
export const PUBLISHED = 64;
const SLOTS = 4096;
const FIRST_SLOT = 64;
export const RING_WORDS = FIRST_SLOT + SLOTS;

// a cache line for each
const PUT = 0;
const TAKEN = 16;
const ENDED = 32;
const NOBODY_WRITES = 48;

/** Looks before a thread lets others have the processor, which it may need to wait for. */
const LOOKS = 2000;
const PAUSE_MS = 0.05;

/** Blocks for a moment, if there have been so many looks. */
export function pauseAfter(words: Int32Array, looks: number, never: number): void {
  if (looks % LOOKS === LOOKS - 1) Atomics.wait(words, never, 0, PAUSE_MS);
}

export class Ring {
  private readonly words: Int32Array;

  constructor(words: Int32Array) {
    this.words = words;
  }

  /** The word of the first of PUBLISHED slots that may be written; waits for room. */
  awaitRoom(): number {
    const { words } = this;
    const put = Atomics.load(words, PUT);
    for (let look = 0; ((put - Atomics.load(words, TAKEN)) | 0) > SLOTS - PUBLISHED; look++)
      pauseAfter(words, look, NOBODY_WRITES);
    return FIRST_SLOT + (put & (SLOTS - 1));
  }

  publish(): void {
    Atomics.add(this.words, PUT, PUBLISHED);
  }

  /** No more is to come in this round. */
  end(): void {
    Atomics.store(this.words, ENDED, 1);
  }

  /** The word of the first of PUBLISHED slots that may be read; waits for them. -1: that was all of this round. */
  awaitObjects(): number {
    const { words } = this;
    const taken = Atomics.load(words, TAKEN);
    for (let look = 0; ; look++) {
      // in this order: what was put before the end counts
      const hasEnded = Atomics.load(words, ENDED) === 1;
      if (Atomics.load(words, PUT) !== taken) return FIRST_SLOT + (taken & (SLOTS - 1));
      if (hasEnded) break;
      pauseAfter(words, look, NOBODY_WRITES);
    }
    Atomics.store(words, ENDED, 0);
    return -1;
  }

  taken(): void {
    Atomics.add(this.words, TAKEN, PUBLISHED);
  }
}
