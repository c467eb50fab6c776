/**
 * What an alloc in task context does before it returns NULL: for a group that is full, or for the whole heap.
 *
 * A group at its limit is its own affair: only what this CPU keeps for it is collected, and this CPU's callbacks run.
 * A program that allocates until NULL, over and over, costs other threads nothing.
 */
import { readPrivate, type Words } from "#primitive";
import { type Cpu, CRITICAL_SHIFT } from "../cpu/index.ts";
import type { Kmalloc } from "../mm/index.ts";
import { UNIT_WORDS } from "./layout.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Stock } from "./stock.ts";
import type { Supply } from "./supply.ts";

/** What the program does where there is no room: something may be freed. Called nested. */
export interface AtLimits {
  /** A group needs more than `refusing`, it or one above it, has room for. */
  readonly atMax: (group: number, refusing: number) => void;
  /** The heap has no memory left. False: nothing is done. */
  readonly atEnd: () => boolean;
}

/** Most rounds of a reclaim. A chain goes through four queues, of which each may have a batch under way. */
const ROUNDS = 8;

export class Reclaim {
  private readonly words: Words;
  private readonly cpu: Cpu;
  private readonly kmalloc: Kmalloc;
  private readonly supply: Supply;
  private readonly pipeline: Pipeline;
  private readonly stock: Stock;
  private readonly configured: () => Iterable<number>;
  private readonly program: AtLimits;

  /** `configured` lists this CPU's instance of every cache of the heap. */
  constructor(
    cpu: Cpu,
    kmalloc: Kmalloc,
    supply: Supply,
    pipeline: Pipeline,
    stock: Stock,
    configured: () => Iterable<number>,
    program: AtLimits,
  ) {
    this.words = cpu.words;
    this.cpu = cpu;
    this.kmalloc = kmalloc;
    this.supply = supply;
    this.pipeline = pipeline;
    this.stock = stock;
    this.configured = configured;
    this.program = program;
  }

  /** An object for a cache that got none from slab, once more has been collected; or 0. Task context. */
  pop(cache: number): number {
    const node = this.supply.refusing(cache) === 0 ? 0 : this.popAtMax(cache);
    if (node !== 0) return node;
    if (this.supply.refusing(cache) === 0) {
      this.reclaim();
      return this.stock.popRefilled(cache) || (this.askProgram() ? this.stock.popRefilled(cache) : 0);
    }
    this.supply.countFailure(cache);
    return 0;
  }

  /**
   * Out of memory: gives back all that can be had without other CPUs' private lists and without waiting for
   * readers. Looks at every listed slab, since NULL is promised to mean that there is nothing. Task context.
   */
  reclaim(): void {
    for (const cache of this.configured()) {
      if (!this.isIdle(cache)) continue;
      this.stock.deferBatch(cache);
      this.stock.drain(cache);
    }
    // no limit: there are fewer chains than words
    for (let i = 0; i < ROUNDS; i++) if (this.pipeline.callbacks.poll(this.words.length) === 0) break;
    this.kmalloc.flush();
    this.kmalloc.shrink(2 * this.kmalloc.slab.pages.total);
  }

  /**
   * The heap is out of memory: the program may free something, and that is collected. False if there is nothing that it
   * does. Task context.
   */
  askProgram(): boolean {
    // nested, as at a group's limit
    if (!this.cpu.nested(CRITICAL_SHIFT, this.program.atEnd)) return false;
    this.reclaim();
    return true;
  }

  private popAtMax(cache: number): number {
    this.collectUnderMax(cache);
    const node = this.stock.popRefilled(cache);
    const refusing = node === 0 ? this.supply.refusing(cache) : 0;
    if (refusing === 0) return node;
    // nested: what the program does there finds the limit without being called again, and cannot end the allocator
    this.cpu.nested(CRITICAL_SHIFT, () => this.program.atMax(this.supply.groupOf(cache), refusing));
    this.collectUnderMax(cache);
    return this.stock.popRefilled(cache);
  }

  /** What this CPU keeps for the full group, and those below it, goes back to slab: without waiting for readers. */
  private collectUnderMax(cache: number): void {
    const full = this.supply.refusing(cache);
    if (full === 0) return;
    const { charges } = this.supply.memcgs.stock;
    const isUnder = (each: number) => this.isIdle(each) && charges.isUnder(this.supply.groupOf(each), full);
    for (let i = 0; i < ROUNDS; i++) {
      for (const each of this.configured()) {
        if (!isUnder(each)) continue;
        this.stock.deferBatch(each);
        this.stock.drain(each);
        this.pipeline.startRound(each, 0);
      }
      if (this.pipeline.advance(this.words.length) === 0) return;
    }
  }

  /** True if the cache was opened, and no call further down the stack is using it. */
  private isIdle(cache: number): boolean {
    return readPrivate(this.words, cache + UNIT_WORDS) !== 0 && !this.stock.list.isBusy(cache);
  }
}
