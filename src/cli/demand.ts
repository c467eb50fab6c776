/**
 * How many bytes the replayed program holds, and the most it ever held: as requested, and as the units that
 * the allocator's sizes make of them. With one worker every operation counts; several workers share counters,
 * which each brings up to date when it is off by STEP, so that the peak is accurate to STEP per worker.
 */

/** Bytes a worker may hold back. */
const STEP = 16 * 1024;

/** Shared words, 64 bits each: held now, and its peak, for requested bytes and for unit bytes. */
export const DEMAND_WORDS = 4;
const REQUESTED = 0;
const UNITS = 2;

export interface DemandMeter {
  /** An object came (positive) or went (negative). */
  change(requested: number, units: number): void;
  /** Brings the shared words up to date. */
  flush(): void;
}

/** The meter for one of `workers` workers over shared words. */
export function demandMeter(words: BigInt64Array, workers: number): DemandMeter {
  return workers === 1 ? new ExactMeter(words) : new SharedMeter(words);
}

/** The peaks noted in shared words. */
export function peakDemand(words: BigInt64Array): { requested: number; units: number } {
  return { requested: Number(words[REQUESTED + 1]), units: Number(words[UNITS + 1]) };
}

class ExactMeter implements DemandMeter {
  readonly #words: BigInt64Array;
  #requested = 0;
  #units = 0;
  #peakRequested = 0;
  #peakUnits = 0;

  constructor(words: BigInt64Array) {
    this.#words = words;
  }

  change(requested: number, units: number): void {
    this.#requested += requested;
    this.#units += units;
    if (this.#requested > this.#peakRequested) this.#peakRequested = this.#requested;
    if (this.#units > this.#peakUnits) this.#peakUnits = this.#units;
  }

  flush(): void {
    this.#words[REQUESTED + 1] = BigInt(this.#peakRequested);
    this.#words[UNITS + 1] = BigInt(this.#peakUnits);
  }
}

class SharedMeter implements DemandMeter {
  readonly #words: BigInt64Array;
  #requested = 0;
  #units = 0;

  constructor(words: BigInt64Array) {
    this.#words = words;
  }

  change(requested: number, units: number): void {
    this.#requested += requested;
    this.#units += units;
    if (Math.abs(this.#units) >= STEP || Math.abs(this.#requested) >= STEP) this.flush();
  }

  flush(): void {
    addAndRaisePeak(this.#words, REQUESTED, this.#requested);
    addAndRaisePeak(this.#words, UNITS, this.#units);
    this.#requested = 0;
    this.#units = 0;
  }
}

/** 64-bit words: what workers hold back can make a sum negative for a moment, which 32 bits of 4 GiB can't be. */
function addAndRaisePeak(words: BigInt64Array, at: number, delta: number): void {
  const now = Atomics.add(words, at, BigInt(delta)) + BigInt(delta);
  let peak = Atomics.load(words, at + 1);
  while (now > peak) {
    const seen = Atomics.compareExchange(words, at + 1, peak, now);
    if (seen === peak) return;
    peak = seen;
  }
}
