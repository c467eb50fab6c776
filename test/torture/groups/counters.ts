/** What the threads count, in words outside the heap: each writes its own, and the starter adds them up at rest. */
export const COUNTERS = [
  /** Objects that were handed out, and freed; of these, on another thread. Calls on allocators and groups of all kinds. */
  "made",
  "freed",
  "freedElsewhere",
  "operations",
  /** Objects that `destroy` said nobody can free any more. */
  "leaked",
  /** Bytes charged below the root for objects that were handed out and not freed. */
  "bytes",
  /** Groups made, of these in another one; dropped, of these while something was charged, and before a group below it. */
  "groups",
  "nested",
  "dropped",
  "droppedCharged",
  "droppedAboveOthers",
  /** Allocators opened, and ended; those whose end is not known to be over. */
  "pools",
  "destroyed",
  "endings",
  /** Limits moved; functions called at a limit; NULL, or an open refused, at a limit. */
  "moved",
  "handled",
  "refused",
  /** No room for another name; the group or allocator was ended by another thread in that moment. */
  "limits",
  "overtaken",
  "attaches",
] as const;

export type Counter = (typeof COUNTERS)[number];
export type Counts = Record<Counter, number>;

const PLACES = Object.fromEntries(COUNTERS.map((name, place) => [name, place])) as Counts;

export function newCounts(threads: number): Float64Array {
  return new Float64Array(new SharedArrayBuffer(threads * COUNTERS.length * 8));
}

/** One thread's counters. */
export class Tally {
  private readonly counts: Float64Array;
  private readonly base: number;

  constructor(counts: Float64Array, thread: number) {
    this.counts = counts;
    this.base = thread * COUNTERS.length;
  }

  add(counter: Counter, count = 1): void {
    this.counts[this.base + PLACES[counter]] += count;
  }
}

/** The sums over all threads: exact while they rest. */
export function totals(counts: Float64Array): Counts {
  const sums = Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Counts;
  counts.forEach((count, at) => {
    sums[COUNTERS[at % COUNTERS.length]] += count;
  });
  return sums;
}
