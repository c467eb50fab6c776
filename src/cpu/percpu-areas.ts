/**
 * Per-CPU areas: one block of words per possible CPU, all of one size (a power of two) and aligned
 * to it. A variable lies at the same offset in each, so its instance on another CPU is found by
 * arithmetic: area + (address & (areaWords - 1)).
 *
 * Offsets are handed out by an atomic counter and never taken back.
 */
import { cmpxchg, loadAcquire, type Words } from "#primitive";
import type { Arena, Faults, Memblock } from "../arena/index.ts";
import { SharedHeapError } from "../arena/index.ts";
import { PERCPU_USED } from "../arena/layout.ts";
import { LINE_WORDS } from "../sync/layout.ts";

export class PercpuAreas {
  readonly words: Words;
  readonly maxCpus: number;
  /** Words of an area: a power of two. */
  readonly areaWords: number;
  readonly faults: Faults;
  private readonly first: number;

  constructor(arena: Arena, memblock: Memblock) {
    this.words = arena.words;
    this.faults = arena.faults;
    this.maxCpus = arena.geometry.maxCpus;
    this.areaWords = arena.geometry.percpuBytes / 4;
    this.first = memblock.reserve(this.maxCpus * this.areaWords, this.areaWords);
  }

  /** The first word of a CPU's area. */
  areaOf(cpu: number): number {
    return this.first + cpu * this.areaWords;
  }

  /** The instance on `cpu` of the variable that `at` is an instance of. */
  instanceOn(cpu: number, at: number): number {
    return this.areaOf(cpu) | (at & (this.areaWords - 1));
  }

  /**
   * Reserves `count` words at the same offset of every area, on a line of their own. Returns the
   * offset. Errors: `limit`. Lock-free: a CAS fails only because another reservation succeeded.
   */
  reserve(count: number): number {
    for (;;) {
      const used = loadAcquire(this.words, PERCPU_USED);
      const next = used + Math.ceil(count / LINE_WORDS) * LINE_WORDS;
      if (next > this.areaWords || this.faults.fails("percpu")) {
        throw new SharedHeapError(
          "limit",
          `no room for another allocator in the ${this.areaWords * 4} bytes of each CPU's area; ` +
            "raise percpuBytes in SharedHeap.create()",
        );
      }
      // pairs with the load above, on other CPUs: keeps reservations apart, publishes nothing
      if (cmpxchg(this.words, PERCPU_USED, used, next) === used) return used;
    }
  }
}
