/**
 * What the threads tell each other, in words outside the heap. Of each thread: which sections are open, how many
 * closures it has given and run, its counters.
 *
 * A section's word is odd while it is open. It is made odd after the section has begun and even before it
 * ends, so whoever finds it odd knows that the section is open.
 */
import { Stop } from "../stop.ts";
import { COUNTERS } from "./counters.ts";

/** Async sections that a thread may have open at once. */
export const ASYNC_READERS = 4;

/** Word 0 is Stop's. It is nobody's section word, so its index stands for "none". */
const FIRST_THREAD = 16;

/** Of each thread: */
const SYNC = 0;
const ASYNC = 1;
/** Odd while the thread is detached. */
const INCARNATION = ASYNC + ASYNC_READERS;
/** Closures given, and all before which number have run; of RCU, of tasks trace. */
const GIVEN = INCARNATION + 1;
const RUN = GIVEN + 2;
/** What it is doing: an index. */
const ACTIVITY = RUN + 2;
const TALLY = 16;
const THREAD_WORDS = 48;

export function newControl(threads: number): Int32Array {
  if (COUNTERS.length > THREAD_WORDS - TALLY) throw new Error("more counters than there is room for");
  return new Int32Array(new SharedArrayBuffer((FIRST_THREAD + threads * THREAD_WORDS) * 4));
}

export class Control extends Stop {
  readonly threads: number;

  constructor(words: Int32Array) {
    super(words);
    this.threads = (words.length - FIRST_THREAD) / THREAD_WORDS;
  }

  syncWord(thread: number): number {
    return this.at(thread, SYNC);
  }

  asyncWord(thread: number, reader: number): number {
    return this.at(thread, ASYNC + reader);
  }

  incarnationWord(thread: number): number {
    return this.at(thread, INCARNATION);
  }

  givenWord(thread: number, flavour: number): number {
    return this.at(thread, GIVEN + flavour);
  }

  runWord(thread: number, flavour: number): number {
    return this.at(thread, RUN + flavour);
  }

  activityWord(thread: number): number {
    return this.at(thread, ACTIVITY);
  }

  tallyBase(thread: number): number {
    return this.at(thread, TALLY);
  }

  /** Where each thread's counters begin. */
  get bases(): readonly number[] {
    return Array.from({ length: this.threads }, (_, thread) => this.tallyBase(thread));
  }

  /** Whose a section word is, for messages. */
  describe(word: number): string {
    const thread = Math.floor((word - FIRST_THREAD) / THREAD_WORDS);
    return `thread ${thread}'s ${word === this.syncWord(thread) ? "synchronous" : "async"} section`;
  }

  private at(thread: number, word: number): number {
    return FIRST_THREAD + thread * THREAD_WORDS + word;
  }
}
