/**
 * What a thread has, written down outside the heap, so that others know it when the thread is dead.
 *
 * Each object has an entry, of its pool. HAND names the entry that a call is under way for, from before the call
 * until its result is written down. So of a thread that died all is known but for one object at most: the one of
 * that entry, which may be there or not.
 */
import { POOLS } from "./pools.ts";

/** Entries of each pool. */
export const ENTRIES = 128;

/** 1 + an entry, or 0. */
const HAND = 0;
/** What the thread is doing: an index. */
const ACTIVITY = 1;
/** Calls that it has made. */
const CALLS = 2;
/** 1 + its CPU, and the generation; 0 before it has attached. */
const CPU = 3;
const GENERATION = 4;
/** OWN_*: what it may have opened for itself. */
const OWN = 5;
const FIRST_ENTRY = 16;
/** In an entry: the object is not stamped yet, or not any more. */
const UNSTAMPED = 1;

/** An object that a thread has. */
export interface Held {
  readonly pool: number;
  readonly p: number;
  readonly isStamped: boolean;
}

export function newJournal(): Int32Array {
  return new Int32Array(new SharedArrayBuffer((FIRST_ENTRY + POOLS.length * ENTRIES) * 4));
}

export class Journal {
  private readonly words: Int32Array;

  constructor(words: Int32Array) {
    this.words = words;
  }

  /** A call for an entry begins. */
  begin(pool: number, entry: number): void {
    Atomics.store(this.words, HAND, pool * ENTRIES + entry + 1);
    Atomics.add(this.words, CALLS, 1);
  }

  /** The call has ended: the entry has this object, or 0. */
  end(pool: number, entry: number, p: number, isStamped: boolean): void {
    this.write(pool, entry, p, isStamped);
    Atomics.store(this.words, HAND, 0);
  }

  /** Says what an entry has. */
  write(pool: number, entry: number, p: number, isStamped: boolean): void {
    Atomics.store(this.words, FIRST_ENTRY + pool * ENTRIES + entry, isStamped ? p : p | UNSTAMPED);
  }

  /** The object of an entry, or 0. */
  read(pool: number, entry: number): number {
    return (this.words[FIRST_ENTRY + pool * ENTRIES + entry] & ~UNSTAMPED) >>> 0;
  }

  /** What the thread has, but for the object of the call that is under way. */
  get held(): Held[] {
    const held: Held[] = [];
    for (let i = 0; i < POOLS.length * ENTRIES; i++) {
      const word = this.words[FIRST_ENTRY + i];
      const p = (word & ~UNSTAMPED) >>> 0;
      if (p === 0 || i + 1 === this.words[HAND]) continue;
      held.push({ pool: Math.floor(i / ENTRIES), p, isStamped: (word & UNSTAMPED) === 0 });
    }
    return held;
  }

  /** The pool of the object that may be there or not, or -1. */
  get unknown(): number {
    return Math.floor((this.words[HAND] - 1) / ENTRIES);
  }

  get calls(): number {
    return this.words[CALLS] >>> 0;
  }

  get activity(): number {
    return this.words[ACTIVITY];
  }

  set activity(activity: number) {
    Atomics.store(this.words, ACTIVITY, activity);
  }

  get own(): number {
    return this.words[OWN];
  }

  set own(own: number) {
    Atomics.store(this.words, OWN, own);
  }

  /** The thread has attached. */
  attached(cpu: number, generation: number): void {
    Atomics.store(this.words, GENERATION, generation);
    Atomics.store(this.words, CPU, cpu + 1);
  }

  /** The thread is about to detach. */
  detaches(): void {
    Atomics.store(this.words, CPU, 0);
  }

  /** Its CPU, -1 while it has none, and the generation. */
  get place(): { cpu: number; generation: number } {
    return { cpu: Atomics.load(this.words, CPU) - 1, generation: Atomics.load(this.words, GENERATION) };
  }
}
