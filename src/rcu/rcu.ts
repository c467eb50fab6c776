/**
 * RCU: when has every read section that was open ended? (The kernel's rcu_read_lock and friends.)
 *
 * Each CPU has one word, odd inside a section. Periods have numbers. One ends when each word, looked at
 * since it began, was even or has changed: so every section that was open when it began is over. Any CPU
 * may look; each keeps what it saw to itself, and whoever is through first advances the number.
 *
 * A period that runs already may have begun before an object was unlinked; the one after it did not. So
 * what is unlinked while one runs is out of all readers' sight two periods later.
 *
 * Where everyone is outside at the time, no period is needed: `nobodyReads`.
 *
 *                      readLock, readUnlock    drive                target, isPast, nobodyReads
 *     other CPUs       yes                     yes                  yes
 *     nested in it     yes                     no (task context)    yes
 *
 * Progress: all wait-free. Nobody waits for a reader; `drive` comes back later.
 */
import { cmpxchg, loadAcquire, readPrivate, storeRelease, type Words, writePrivate } from "#primitive";
import { SharedHeapError } from "../arena/index.ts";
import type { Cpus, PercpuAreas, Tracepoints } from "../cpu/index.ts";
import {
  FIRST_SEQ,
  LOCAL_NESTING,
  LOCAL_READER,
  LOCAL_SEEN,
  LOCAL_SNAPSHOT,
  RCU_SEQ,
  RCU_STEP,
} from "./layout.ts";

/** Where the words of the rcu layer lie. */
export interface RcuPlace {
  /** The SHARED_WORDS. */
  readonly shared: number;
  /** Offset of the local ones in each CPU's area. */
  readonly local: number;
}

export class Rcu {
  private readonly words: Words;
  private readonly seq: number;
  private readonly cpus: Cpus;
  private readonly areas: PercpuAreas;
  private readonly offset: number;
  private readonly local: number;
  private readonly tracepoints: Tracepoints;

  /** `cpu`: the number of this thread's CPU. */
  constructor(place: RcuPlace, cpu: number, cpus: Cpus, areas: PercpuAreas, tracepoints: Tracepoints) {
    this.tracepoints = tracepoints;
    this.words = areas.words;
    this.seq = place.shared + RCU_SEQ;
    this.cpus = cpus;
    this.areas = areas;
    this.offset = place.local;
    this.local = areas.areaOf(cpu) + place.local;
  }

  /** The first period. Creator only. */
  format(): void {
    storeRelease(this.words, this.seq, FIRST_SEQ);
  }

  /**
   * Begins a read section of this CPU, or goes one deeper. Any context: a call nested between any two of the
   * steps finds the section open or opens it, and leaves it open.
   */
  readLock(): void {
    const { words, local } = this;
    writePrivate(words, local + LOCAL_NESTING, readPrivate(words, local + LOCAL_NESTING) + 1);
    const reader = readPrivate(words, local + LOCAL_READER);
    // asks the word, not the count: this call may be nested in another one that has only raised the count.
    // Pairs with the loads in drive: either they see the section, or its loads see what was unlinked before them.
    if ((reader & 1) === 0) storeRelease(words, local + LOCAL_READER, reader + 1);
  }

  /** Ends the section that the last readLock began. Any context. Errors: `rcu-unbalanced`. */
  readUnlock(): void {
    const { words, local } = this;
    const nesting = readPrivate(words, local + LOCAL_NESTING) - 1;
    if (nesting < 0) this.refuseUnlock();
    writePrivate(words, local + LOCAL_NESTING, nesting);
    if (nesting !== 0) return;
    const reader = readPrivate(words, local + LOCAL_READER);
    // pairs with the loads in drive: what the section read, it has read
    if ((reader & 1) === 1) storeRelease(words, local + LOCAL_READER, reader + 1);
  }

  /** This CPU's thread died, and another one acts as it: its section is over. The CPU is dead until after that. */
  settle(): void {
    const { words, local } = this;
    writePrivate(words, local + LOCAL_NESTING, 0);
    writePrivate(words, local + LOCAL_SEEN, 0);
    const reader = loadAcquire(words, local + LOCAL_READER);
    // pairs with the loads in `section`
    if ((reader & 1) === 1) storeRelease(words, local + LOCAL_READER, reader + 1);
  }

  /** True inside a read section of this CPU. */
  isInside(): boolean {
    return readPrivate(this.words, this.local + LOCAL_NESTING) !== 0;
  }

  /**
   * True if nobody sees any more what was unlinked before this call: each CPU was outside all sections at one
   * moment since. Then no period has to end for it. Any context.
   */
  nobodyReads(): boolean {
    // in this order, as in isQuiet. Pairs with the stores of readLock: a section that begins after the look at its CPU
    // sees the unlinking
    for (let cpu = this.cpus.used - 1; cpu >= 0; cpu--) if (this.section(cpu) !== 0) return false;
    return true;
  }

  /** The number at which nobody sees any more what was unlinked before this call. Any context. */
  target(): number {
    // pairs with the CAS in drive: looks of the period after this one come after the unlinking
    return (loadAcquire(this.words, this.seq) + 2 * RCU_STEP) | 0;
  }

  /** True once the period that `target` stands for has ended. Any context. */
  isPast(target: number): boolean {
    // pairs with the CAS in drive: the readers are done with what is reused from here on
    return ((loadAcquire(this.words, this.seq) - target) | 0) >= 0;
  }

  /**
   * Ends periods until `target` is past, or a reader keeps one from ending. Returns true if it is past. Task context,
   * or work.
   */
  drive(target: number): boolean {
    let seq = loadAcquire(this.words, this.seq);
    while (((seq - target) | 0) < 0) {
      if (!this.isQuiet(seq)) return false;
      // pairs with target and isPast
      const there = cmpxchg(this.words, this.seq, seq, (seq + RCU_STEP) | 0);
      // another CPU may have ended the period
      if (there === seq) this.ended(seq);
      seq = there === seq ? (seq + RCU_STEP) | 0 : there;
    }
    return true;
  }

  private ended(seq: number): void {
    const { tracepoints } = this;
    tracepoints.fire(tracepoints.gpEnd, seq, 0);
    tracepoints.fire(tracepoints.gpStart, (seq + RCU_STEP) | 0, 0);
  }

  /** Names the section of a CPU that the running period waits for, as far as this CPU has looked; 0: none. Task context. */
  blocking(cpu: number): number {
    const { words, local } = this;
    if (readPrivate(words, local + LOCAL_SEEN) !== loadAcquire(words, this.seq)) return 0;
    const before = readPrivate(words, local + LOCAL_SNAPSHOT + cpu);
    return before === this.section(cpu) ? before : 0;
  }

  /** Names the section that a CPU is in; 0: none. Any context. */
  section(cpu: number): number {
    const reader = loadAcquire(this.words, this.areas.areaOf(cpu) + this.offset + LOCAL_READER);
    return (reader & 1) === 1 && !this.cpus.isDead(cpu) ? reader : 0;
  }

  /** How many periods have ended. They come round after 2^31. */
  get periods(): number {
    return ((loadAcquire(this.words, this.seq) - FIRST_SEQ) >>> 0) / RCU_STEP;
  }

  /** True if every section that was open when period `seq` began has ended. */
  private isQuiet(seq: number): boolean {
    // a CPU that attaches after this count is read enters its first section after that, and sees what was unlinked
    const { used } = this.cpus;
    if (readPrivate(this.words, this.local + LOCAL_SEEN) !== seq) this.look(seq, used);
    return this.blocker(used) < 0;
  }

  /** Takes down who is inside a section, now that period `seq` is known to have begun. */
  private look(seq: number, used: number): void {
    const { words, local } = this;
    for (let cpu = used - 1; cpu >= 0; cpu--) {
      writePrivate(words, local + LOCAL_SNAPSHOT + cpu, this.section(cpu));
    }
    // last, so that an unfinished look counts as none. (The number comes round after 2^31 periods.)
    writePrivate(words, local + LOCAL_SEEN, seq);
  }

  /** A CPU that is in the same section as when this one looked first, or -1. */
  private blocker(used: number): number {
    const { words } = this;
    for (let cpu = used - 1; cpu >= 0; cpu--) {
      const seen = this.local + LOCAL_SNAPSHOT + cpu;
      const before = readPrivate(words, seen);
      if (before === 0) continue;
      if (this.section(cpu) === before) return cpu;
      writePrivate(words, seen, 0);
    }
    return -1;
  }

  private refuseUnlock(): never {
    throw new SharedHeapError(
      "rcu-unbalanced",
      "readUnlock() outside a read section: each one needs a readLock() of its own",
    );
  }
}
