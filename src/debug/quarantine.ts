/**
 * The quarantine of a CPU: freed objects that are not used again yet, so that writes to them are found. A ring, oldest
 * first, beside the objects and not in them: a program that writes to freed memory does not damage it.
 *
 * The owner pushes and takes, in any context: each is a few steps that nothing can be nested in. Others read.
 * Progress: wait-free.
 */
import { loadAcquire, storeRelease, type Words } from "#primitive";
import {
  ENTRY_BYTES,
  ENTRY_HOME,
  ENTRY_HOW,
  ENTRY_KEPT,
  ENTRY_OBJECT,
  ENTRY_WORDS,
  QUARANTINE_OBJECTS,
  RING_BYTES,
  RING_ENTRIES,
  RING_EVICTING,
  RING_HEAD,
  RING_LIMIT,
  RING_TAIL,
  RING_WORDS,
} from "./layout.ts";

/** An object in quarantine. */
export interface Entry {
  /** Its offset, as the program knew it. */
  readonly p: number;
  /** Its home cache; 0: it is no allocator's. */
  readonly home: number;
  /** Bytes that are held back for it. */
  readonly bytes: number;
  /** HOW_*. */
  readonly how: number;
  /** It keeps what it held: it is not poisoned. */
  readonly isKept: boolean;
}

export class Quarantine {
  private readonly words: Words;
  private readonly ring: number;

  /** `rings`: of all CPUs. */
  constructor(words: Words, rings: number, cpu: number) {
    this.words = words;
    this.ring = rings + cpu * RING_WORDS;
  }

  /** A thread has taken the CPU. */
  open(limit: number): void {
    this.store(RING_EVICTING, 0);
    // the last thread may have died before it had counted
    this.store(
      RING_BYTES,
      this.entries().reduce((sum, { bytes }) => sum + bytes, 0),
    );
    this.setLimit(limit);
  }

  /** From here on it takes objects of so many bytes together; 0: none. */
  setLimit(bytes: number): void {
    this.store(RING_LIMIT, bytes);
  }

  /**
   * True if an object of so many bytes may come in at all. Not while one leaves: what a handler frees then would take the
   * room that is being made, over and over.
   */
  takes(bytes: number): boolean {
    return bytes <= this.load(RING_LIMIT) && this.load(RING_EVICTING) === 0;
  }

  /** Runs `fn`, while an object leaves. */
  leaving(fn: () => void): void {
    const before = this.load(RING_EVICTING);
    this.store(RING_EVICTING, before + 1);
    try {
      fn();
    } finally {
      this.store(RING_EVICTING, before);
    }
  }

  /** True if it may come in now. */
  hasRoom(bytes: number): boolean {
    return this.count < QUARANTINE_OBJECTS && this.bytes + bytes <= this.load(RING_LIMIT);
  }

  /** Puts an object in. There is room. */
  push({ p, home, bytes, how, isKept }: Entry): void {
    const tail = this.load(RING_TAIL);
    const at = this.entryAt(tail);
    storeRelease(this.words, at + ENTRY_OBJECT, p | 0);
    storeRelease(this.words, at + ENTRY_HOME, home);
    storeRelease(this.words, at + ENTRY_BYTES, bytes);
    storeRelease(this.words, at + ENTRY_HOW, isKept ? how | ENTRY_KEPT : how);
    this.store(RING_BYTES, this.bytes + bytes);
    // pairs with the loads in entries: publishes the entry
    this.store(RING_TAIL, (tail + 1) | 0);
  }

  /** Takes the oldest one out. */
  take(): Entry | undefined {
    if (this.count === 0) return undefined;
    const head = this.load(RING_HEAD);
    const entry = this.read(head);
    this.store(RING_HEAD, (head + 1) | 0);
    this.store(RING_BYTES, this.bytes - entry.bytes);
    return entry;
  }

  /** All that are in it. Exact while its owner is in no call. */
  entries(): Entry[] {
    const head = this.load(RING_HEAD);
    return Array.from({ length: this.count }, (_, i) => this.read((head + i) | 0));
  }

  get count(): number {
    const count = (this.load(RING_TAIL) - this.load(RING_HEAD)) | 0;
    return Math.min(Math.max(count, 0), QUARANTINE_OBJECTS);
  }

  get bytes(): number {
    return this.load(RING_BYTES);
  }

  private read(index: number): Entry {
    const at = this.entryAt(index);
    const how = loadAcquire(this.words, at + ENTRY_HOW);
    return {
      p: loadAcquire(this.words, at + ENTRY_OBJECT) >>> 0,
      home: loadAcquire(this.words, at + ENTRY_HOME),
      bytes: loadAcquire(this.words, at + ENTRY_BYTES),
      how: how & ~ENTRY_KEPT,
      isKept: (how & ENTRY_KEPT) !== 0,
    };
  }

  private entryAt(index: number): number {
    return this.ring + RING_ENTRIES + (index & (QUARANTINE_OBJECTS - 1)) * ENTRY_WORDS;
  }

  private load(field: number): number {
    return loadAcquire(this.words, this.ring + field);
  }

  private store(field: number, value: number): void {
    storeRelease(this.words, this.ring + field, value);
  }
}
