/** Words that the threads of a run share outside the heap. */
import { meet } from "#src/cli/barrier.js";

const START = 0; // two words
/** 1 while producers are timed. */
const TIMED = 2;
const STOP = 3;
const SLEEP = 4;
const FIRST_COUNTER = 16;
/** Far enough apart for a cache line each. */
const COUNTER_WORDS = 16;
const COUNTERS_PER_THREAD = 4;

export function newControl(threads: number): Int32Array {
  const words = FIRST_COUNTER + threads * COUNTERS_PER_THREAD * COUNTER_WORDS;
  return new Int32Array(new SharedArrayBuffer(words * 4));
}

/** The word of a thread's counter; there are four. */
export function counterOf(thread: number, counter: number): number {
  return FIRST_COUNTER + (thread * COUNTERS_PER_THREAD + counter) * COUNTER_WORDS;
}

/** Blocks until all `threads` are here. */
export function meetAll(words: Int32Array, threads: number): void {
  meet(words.subarray(START, START + 2), threads);
}

export function setTimed(words: Int32Array, timed: boolean): void {
  Atomics.store(words, TIMED, timed ? 1 : 0);
}

export function isTimed(words: Int32Array): boolean {
  return Atomics.load(words, TIMED) === 1;
}

/** Tells the readers to come to an end. */
export function stop(words: Int32Array): void {
  Atomics.store(words, STOP, 1);
}

export function isStopped(words: Int32Array): boolean {
  return Atomics.load(words, STOP) === 1;
}

/** Blocks this thread for a while. */
export function sleep(words: Int32Array, ms: number): void {
  Atomics.wait(words, SLEEP, 0, ms);
}
