/**
 * Grace periods as they are defined, and not as src/rcu builds them: one ends as soon as every section that was open
 * when it began has ended. So memalloc is searched against the earliest ends that there can be, and in fewer steps.
 */
import type { Booted } from "#src/boot.js";
import { loadAcquire, storeRelease } from "../engine/primitive.ts";
import { freeWords } from "./small-heap.ts";

const BITS = 8;
const MASK = (1 << BITS) - 1;

class Periods {
  private readonly words: Int32Array;
  private readonly readers: readonly number[];

  /** `readers`: a word for each CPU, odd inside a section. At most 3 CPUs. */
  constructor(words: Int32Array, readers: readonly number[]) {
    this.words = words;
    this.readers = readers;
  }

  toggle(cpu: number): void {
    storeRelease(this.words, this.readers[cpu], loadAcquire(this.words, this.readers[cpu]) + 1);
  }

  /** Everyone's section, side by side. */
  target(): number {
    return this.readers.reduce((all, at, cpu) => all | (this.sectionAt(at) << (cpu * BITS)), 0);
  }

  isPast(target: number): boolean {
    return this.readers.every((at, cpu) => {
      const before = (target >>> (cpu * BITS)) & MASK;
      return (before & 1) === 0 || this.sectionAt(at) !== before;
    });
  }

  /** True if nobody is inside. */
  isQuiet(): boolean {
    return this.readers.every((at) => (this.sectionAt(at) & 1) === 0);
  }

  private sectionAt(at: number): number {
    return loadAcquire(this.words, at) & MASK;
  }
}

/** Puts abstract grace periods in the place of the real ones. Sections do not nest. */
export function abstractRcu(booted: readonly Booted[]): void {
  const { words } = booted[0].arena;
  const rcuWords = freeWords(booted[0], booted.length);
  const traceWords = freeWords(booted[0], booted.length);
  for (const { cpu, rcu, trace } of booted) {
    const periods = new Periods(words, rcuWords);
    const tracePeriods = new Periods(words, traceWords);
    const shared = (of: Periods) => ({
      target: () => of.target(),
      isPast: (target: number) => of.isPast(target),
      drive: (target: number) => of.isPast(target),
    });
    Object.assign(rcu, shared(periods), {
      readLock: () => periods.toggle(cpu.id),
      readUnlock: () => periods.toggle(cpu.id),
      nobodyReads: () => periods.isQuiet(),
    });
    Object.assign(trace, shared(tracePeriods), {
      enter: () => {
        tracePeriods.toggle(cpu.id);
        return 0;
      },
      exit: () => tracePeriods.toggle(cpu.id),
    });
  }
}
