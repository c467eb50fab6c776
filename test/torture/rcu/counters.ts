/** What the threads count, in words outside the heap, so that the starter can show it while they run. */
export const COUNTERS = [
  /** Looks at a held element in a synchronous section, in an async one; sections of both kinds. */
  "reads",
  "asyncReads",
  "sections",
  "asyncSections",
  /** Elements put into a slot in place of another; all that were made; how they were freed. */
  "updates",
  "made",
  "freeRcu",
  "frees",
  /** Elements that a closure, or code behind a synchronize(), freed. */
  "retired",
  /** Elements handed out again after a freeRcu; of these, those freed while another thread was in a section. */
  "reused",
  "reusedUnderReader",
  /** Former elements met in memory from kmalloc: back in slab; of these, freed while a section was open. */
  "throughSlab",
  "throughSlabUnderReader",
  /** Closures that ran; barriers and synchronizes that ended. */
  "callbacks",
  "barriers",
  "synchronizes",
  "attaches",
  /** Allocations that failed in task context. */
  "nulls",
] as const;

export type Counter = (typeof COUNTERS)[number];
export type Counts = Record<Counter, number>;

/** Where each lies in a thread's words. */
const PLACES = Object.fromEntries(COUNTERS.map((name, place) => [name, place])) as Counts;

/** One thread's counters. */
export class Tally {
  private readonly words: Int32Array;
  private readonly base: number;

  constructor(words: Int32Array, base: number) {
    this.words = words;
    this.base = base;
  }

  add(counter: Counter, count = 1): void {
    Atomics.add(this.words, this.base + PLACES[counter], count);
  }
}

/** The sums over all threads. Words wrap around, so it has to look more often than they do. */
export class Totals {
  readonly counts = Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Counts;
  private readonly words: Int32Array;
  private readonly bases: readonly number[];
  private readonly last: Int32Array;

  constructor({ words, bases }: { readonly words: Int32Array; readonly bases: readonly number[] }) {
    this.words = words;
    this.bases = bases;
    this.last = new Int32Array(bases.length * COUNTERS.length);
  }

  look(): Counts {
    this.bases.forEach((base, thread) => {
      COUNTERS.forEach((name, place) => {
        const now = Atomics.load(this.words, base + place);
        const at = thread * COUNTERS.length + place;
        this.counts[name] += (now - this.last[at]) >>> 0;
        this.last[at] = now;
      });
    });
    return this.counts;
  }
}
