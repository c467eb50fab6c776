/**
 * What the threads of a heap have in common, in words outside of it: slots through which they hand objects to each
 * other, slots that readers look at, and what the starter tells them.
 */
import { Stop } from "../stop.ts";
import { POOLS, PUBLISHED_POOL } from "./pools.ts";

/** Slots of each pool through which objects change hands. */
export const RING_SLOTS = 16;
/** Slots that readers look at. */
export const PUBLISHED_SLOTS = 8;

/** Which histogram counts: 0 none, else 1 + that. (Word 0 is Stop's.) */
const PHASE = 1;
/** A CPU that is surely dead, for whoever wants to reap it: 1 + that | generation << DEAD_SHIFT; 0: none. */
const DEAD = 2;
const DEAD_SHIFT = 8;
/** How many CPUs survivors have reaped, before the starter did. */
const REAPED = 3;
/** 1 once a survivor has seen the dead CPU, and is about to reap it. */
const COMING = 4;
const RING = 16;
const PUBLISHED = RING + POOLS.length * RING_SLOTS;

/** An object that lies in a slot. */
export interface Lying {
  readonly pool: number;
  readonly p: number;
}

export function newBoard(): Int32Array {
  return new Int32Array(new SharedArrayBuffer((PUBLISHED + PUBLISHED_SLOTS) * 4));
}

export class Board extends Stop {
  get phase(): number {
    return Atomics.load(this.words, PHASE);
  }

  set phase(phase: number) {
    Atomics.store(this.words, PHASE, phase);
  }

  /** Says that a thread's CPU may be reaped by anyone. */
  tellDead(cpu: number, generation: number): void {
    Atomics.store(this.words, COMING, 0);
    Atomics.store(this.words, DEAD, (cpu + 1) | (generation << DEAD_SHIFT));
  }

  forgetDead(): void {
    Atomics.store(this.words, DEAD, 0);
  }

  /** A CPU that is dead, or -1, and which generation of it: a later one is somebody else's. */
  get dead(): { cpu: number; generation: number } {
    const word = Atomics.load(this.words, DEAD);
    return { cpu: (word & ((1 << DEAD_SHIFT) - 1)) - 1, generation: word >>> DEAD_SHIFT };
  }

  come(): void {
    Atomics.store(this.words, COMING, 1);
  }

  get someoneComes(): boolean {
    return Atomics.load(this.words, COMING) !== 0;
  }

  countReaped(): void {
    Atomics.add(this.words, REAPED, 1);
  }

  get reaped(): number {
    return Atomics.load(this.words, REAPED);
  }

  ringWord(pool: number, slot: number): number {
    return RING + pool * RING_SLOTS + slot;
  }

  publishedWord(slot: number): number {
    return PUBLISHED + slot;
  }

  /** Puts an object into a slot. Returns what was there. */
  exchange(word: number, p: number): number {
    return Atomics.exchange(this.words, word, p) >>> 0;
  }

  read(word: number): number {
    return Atomics.load(this.words, word) >>> 0;
  }

  /** Takes all that lies in slots out of them. For when nobody else is there. */
  takeAll(): Lying[] {
    const lying: Lying[] = [];
    for (let word = RING; word < PUBLISHED + PUBLISHED_SLOTS; word++) {
      const p = this.exchange(word, 0);
      const pool = word < PUBLISHED ? Math.floor((word - RING) / RING_SLOTS) : PUBLISHED_POOL;
      if (p !== 0) lying.push({ pool, p });
    }
    return lying;
  }
}
