/**
 * PerCpuCounter: a number of 64 bits that all threads count up and down without touching each other's lines. (The
 * kernel's percpu_counter.)
 *
 * A slot is a word and two copies of a sum:
 *
 *     WORD       count << 1 | which copy holds the sum: the slot's value is that sum + count
 *     SUMS       copy 0, copy 1: low and high word each
 *
 * An add is one atomic add to WORD, on a line that no other CPU writes; so adds in nested contexts lose nothing. When
 * the count has grown large it is folded: sum + count is written to the copy that is not in use, then one CAS clears
 * the count and says that this copy holds the sum. Who finds the same copy in use before and after reading it has a
 * value that the slot had; and so leaves it a thread that dies in between.
 *
 * Progress: add is wait-free; a fold (once in 2^28) is tried again only if a nested add came in between. A read looks
 * at a slot again only if that was folded meanwhile.
 */
import { cmpxchg, fetchAdd, loadAcquire, storeRelease, type Words } from "#primitive";
import { inRange, SharedHeapError } from "./arena/index.ts";

const WORD = 0;
const SUMS = 1;
/** Bytes of a slot. */
export const COUNTER_BYTES = 20;
/** Counts up to this stay in WORD. */
const FOLD = 2 ** 28;
/** So that low word + count + delta is an exact number. */
const MAX_DELTA = 2 ** 52;
const TWO_32 = 2 ** 32;

/** What it needs of `heap.percpu`. */
interface Slots {
  alloc(bytes: number): number;
  free(p: number): void;
  perCpuPtr(p: number, cpu: number): number;
}

export class PerCpuCounter {
  /** Names the counter for other threads: `heap.percpu.counter(offset)`. */
  readonly offset: number;
  private readonly words: Words;
  private readonly slots: Slots;
  private readonly maxCpus: number;
  /** This thread's slot. */
  private readonly own: number;

  /** `offset`: of a counter that there is; 0: a new one. Errors: `out-of-memory`, `bad-option`. */
  constructor(words: Words, slots: Slots, cpu: number, maxCpus: number, offset: number) {
    this.offset = offset === 0 ? slots.alloc(COUNTER_BYTES) : inRange("offset", offset, 8, words.length * 4);
    if (this.offset === 0)
      throw new SharedHeapError(
        "out-of-memory",
        "no memory for another counter; free some, or make a larger heap",
      );
    this.words = words;
    this.slots = slots;
    this.maxCpus = maxCpus;
    this.own = slots.perCpuPtr(this.offset, cpu) >>> 2;
  }

  /** Adds an integer, at most 2^52 either way. The sum comes round at 2^63. Any context. Errors: `bad-option`. */
  add(delta: number): void {
    if (typeof delta !== "number" || (delta | 0) !== delta || delta >= FOLD || delta <= -FOLD) {
      this.fold(inRange("delta", delta, -MAX_DELTA, MAX_DELTA));
      return;
    }
    // pairs with the loads in read: one word, so nobody sees half an add
    const count = fetchAdd(this.words, this.own + WORD, delta << 1) >> 1;
    if (count >= FOLD || count <= -FOLD) this.fold(0);
  }

  /** The sum over all CPUs as a number: as `readExact`, but rounded beyond 2^53. Makes no garbage. Any context. */
  read(): number {
    let total = 0;
    for (let cpu = 0; cpu < this.maxCpus; cpu++) {
      const slot = this.slotOf(cpu);
      let word = 0;
      let sum = 0;
      do {
        // pairs with the CAS in fold: the copy that it says is whole
        word = loadAcquire(this.words, slot + WORD);
        sum = this.high(slot, word) * TWO_32 + this.low(slot, word);
        // folded meanwhile: the copy may have been written to
      } while ((loadAcquire(this.words, slot + WORD) ^ word) & 1);
      total += sum + (word >> 1);
    }
    return total;
  }

  /**
   * The sum over all CPUs, each looked at once, exact to all 64 bits. While others add, "exact" means: all that was
   * added before this call is in it, nothing that is added after, and of what is added meanwhile any part may be. So
   * where all adds go one way the counter had that value at one moment of the call. Any context.
   */
  readExact(): bigint {
    let total = 0n;
    for (let cpu = 0; cpu < this.maxCpus; cpu++) {
      const slot = this.slotOf(cpu);
      let word = 0;
      let sum = 0n;
      do {
        word = loadAcquire(this.words, slot + WORD);
        sum = BigInt(this.high(slot, word)) * BigInt(TWO_32) + BigInt(this.low(slot, word));
      } while ((loadAcquire(this.words, slot + WORD) ^ word) & 1);
      total += sum + BigInt(word >> 1);
    }
    return BigInt.asIntN(64, total);
  }

  /** Frees it, for all threads. Errors: `bad-pointer`. */
  free(): void {
    this.slots.free(this.offset);
  }

  /** Adds `delta` and the count of this CPU's slot to its sum. No call comes in between: nothing here is traced. */
  private fold(delta: number): void {
    const { words, own } = this;
    for (;;) {
      const word = loadAcquire(words, own + WORD);
      const sum = this.low(own, word) + (word >> 1) + delta;
      const carry = Math.floor(sum / TWO_32);
      const to = sumAt(own, word ^ 1);
      storeRelease(words, to, sum - carry * TWO_32);
      storeRelease(words, to + 1, this.high(own, word) + carry);
      // pairs with the loads in read: publishes the copy. Fails only if a nested call added meanwhile.
      if (cmpxchg(words, own + WORD, word, (word & 1) ^ 1) === word) return;
    }
  }

  private low(slot: number, word: number): number {
    return loadAcquire(this.words, sumAt(slot, word)) >>> 0;
  }

  private high(slot: number, word: number): number {
    return loadAcquire(this.words, sumAt(slot, word) + 1);
  }

  private slotOf(cpu: number): number {
    return this.slots.perCpuPtr(this.offset, cpu) >>> 2;
  }
}

/** The copy of the sum that a slot's word says is in use. */
function sumAt(slot: number, word: number): number {
  return slot + SUMS + 2 * (word & 1);
}
