/**
 * Elements on their way from one thread to another, a batch at a time: slots in a circle, and two counters that say
 * how many have been put there and taken. Who finds nothing to do waits for the other one.
 */
import { counterOf } from "./control.ts";
import { BATCH, SLOTS } from "./job.ts";

/** Counters of the thread that puts; each direction has two. */
export const FORTH = 0;
export const BACK = 2;

/** Looks before a thread goes to sleep. */
const LOOKS = 200;
/** Longest sleep: a hand-over that has ended wakes nobody. */
const SLEEP_MS = 1;

export class HandOver {
  private readonly words: Int32Array;
  private readonly putAt: number;
  private readonly takenAt: number;

  constructor(control: Int32Array, putter: number, direction: number) {
    this.words = control;
    this.putAt = counterOf(putter, direction);
    this.takenAt = counterOf(putter, direction + 1);
  }

  /** The slot that the next batch begins with, for the one who puts; waits for room. */
  awaitRoom(): number {
    const put = Atomics.load(this.words, this.putAt);
    this.await(this.takenAt, (taken) => put - taken <= SLOTS - BATCH);
    return put % SLOTS;
  }

  /** The slot that the next batch begins with, for the one who takes; waits for one. -1: there will be none. */
  awaitBatch(hasEnded: () => boolean): number {
    const taken = Atomics.load(this.words, this.takenAt);
    this.await(this.putAt, (put) => put !== taken || hasEnded());
    // in this order: what was put before the end counts
    return Atomics.load(this.words, this.putAt) === taken ? -1 : taken % SLOTS;
  }

  put(): void {
    this.count(this.putAt);
  }

  taken(): void {
    this.count(this.takenAt);
  }

  private count(at: number): void {
    Atomics.add(this.words, at, BATCH);
    Atomics.notify(this.words, at);
  }

  private await(at: number, isEnough: (value: number) => boolean): void {
    for (let look = 0; ; look++) {
      const value = Atomics.load(this.words, at);
      if (isEnough(value)) return;
      if (look >= LOOKS) Atomics.wait(this.words, at, value, SLEEP_MS);
    }
  }
}
