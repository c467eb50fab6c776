/**
 * What the threads and their starter tell each other, in words outside the heap: whether to rest or to stop, which
 * allocators there are that others may open, and letters.
 */
import { setTimeout as pause } from "node:timers/promises";
import { Stop } from "../stop.ts";

/** Number of the rest that is wanted, or 0. (Word 0 is Stop's.) */
const REST = 1;
/** How many threads have come to each of the meetings of the end. */
const MET = 2;
export const MEETINGS = 3;
const FIRST_THREAD = 16;

/** Of each thread: the rest that it is in; what it is doing: an index. */
const RESTED = 0;
const ACTIVITY = 1;
/** Of each allocator that it lends: serial << OPENERS_BITS | threads that are opening it. 0: none. */
const LENT = 2;
export const LENT_POOLS = 8;
const OPENERS_BITS = 8;
/** Serial numbers come round. */
export const SERIALS = 2 ** 20;
/** Letters to it. */
const BOX = LENT + LENT_POOLS;
const BOX_LETTERS = 64;
const LETTER_WORDS = 6;
const THREAD_WORDS = BOX + BOX_LETTERS * LETTER_WORDS;

/** A letter's words: its state, and what it says. */
const EMPTY = 0;
const WRITTEN = 1;
const FULL = 2;

/** How long a thread sleeps before it looks whether the rest is over, in case it missed that. */
const REST_MS = 50;

/** An object that goes to another thread. */
export interface Letter {
  readonly p: number;
  /** Whose allocator's it is, at which place, and the number of that one. */
  readonly owner: number;
  readonly place: number;
  readonly serial: number;
  /** What the allocator is: see kinds.ts. */
  readonly shape: number;
}

export function newControl(threads: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer((FIRST_THREAD + threads * THREAD_WORDS) * 4));
}

export class Control extends Stop {
  readonly threads: number;

  constructor(words: Int32Array) {
    super(words);
    this.threads = (words.length - FIRST_THREAD) / THREAD_WORDS;
  }

  // -- rest, meet --------------------------------------------------------------------------------

  /** The starter wants all threads to rest. `round`: counted from 1. */
  beginRest(round: number): void {
    Atomics.store(this.words, REST, round);
  }

  isAtRest(round: number): boolean {
    const isResting = (_: unknown, thread: number) =>
      Atomics.load(this.words, this.at(thread, RESTED)) === round;
    return Array.from({ length: this.threads }).every(isResting);
  }

  endRest(): void {
    Atomics.store(this.words, REST, 0);
    Atomics.notify(this.words, REST);
  }

  /** If a rest is wanted this thread has it: it does nothing until that is over. */
  rest(thread: number): void {
    const round = Atomics.load(this.words, REST);
    if (round === 0) return;
    // the last thing: all that it did before can be seen by who sees this
    Atomics.store(this.words, this.at(thread, RESTED), round);
    while (Atomics.load(this.words, REST) === round) Atomics.wait(this.words, REST, round, REST_MS);
  }

  /** Waits until all threads have come to a meeting, and does `meanwhile` over and over. */
  async meet(meeting: number, meanwhile: () => void): Promise<void> {
    Atomics.add(this.words, MET + meeting, 1);
    while (Atomics.load(this.words, MET + meeting) < this.threads) {
      meanwhile();
      await pause(1);
    }
  }

  noteActivity(thread: number, activity: number): void {
    Atomics.store(this.words, this.at(thread, ACTIVITY), activity);
  }

  activityOf(thread: number): number {
    return Atomics.load(this.words, this.at(thread, ACTIVITY));
  }

  // -- allocators that are lent -------------------------------------------------------------------

  /** From here on others may open it. */
  lend(owner: number, place: number, serial: number): void {
    Atomics.store(this.words, this.at(owner, LENT + place), serial << OPENERS_BITS);
  }

  /** The owner is about to end it. False: somebody is opening it by its name, and would make it anew. */
  callIn(owner: number, place: number, serial: number): boolean {
    const lent = serial << OPENERS_BITS;
    return Atomics.compareExchange(this.words, this.at(owner, LENT + place), lent, 0) === lent;
  }

  /** Until `opened`, its owner does not end it. False: that has been done. */
  open({ owner, place, serial }: Letter): boolean {
    const at = this.at(owner, LENT + place);
    for (;;) {
      const lent = Atomics.load(this.words, at);
      if (lent >>> OPENERS_BITS !== serial) return false;
      if (Atomics.compareExchange(this.words, at, lent, lent + 1) === lent) return true;
    }
  }

  opened({ owner, place }: Letter): void {
    Atomics.add(this.words, this.at(owner, LENT + place), -1);
  }

  // -- letters ------------------------------------------------------------------------------------

  /** False: the box is full. */
  send(to: number, { p, owner, place, serial, shape }: Letter): boolean {
    for (let i = 0; i < BOX_LETTERS; i++) {
      const at = this.letter(to, i);
      if (Atomics.compareExchange(this.words, at, EMPTY, WRITTEN) !== EMPTY) continue;
      this.words.set([p, (owner << 8) | place, serial, shape], at + 1);
      Atomics.store(this.words, at, FULL);
      return true;
    }
    return false;
  }

  /** A letter to this thread, from its box's `i`-th place on. */
  receive(thread: number, i: number): Letter | undefined {
    for (let tries = 0; tries < BOX_LETTERS; tries++) {
      const at = this.letter(thread, (i + tries) % BOX_LETTERS);
      if (Atomics.load(this.words, at) !== FULL) continue;
      const [p, from, serial, shape] = this.words.subarray(at + 1, at + 5);
      Atomics.store(this.words, at, EMPTY);
      return { p: p >>> 0, owner: from >>> 8, place: from & 0xff, serial, shape };
    }
    return undefined;
  }

  private letter(thread: number, i: number): number {
    return this.at(thread, BOX + i * LETTER_WORDS);
  }

  private at(thread: number, word: number): number {
    return FIRST_THREAD + thread * THREAD_WORDS + word;
  }
}
