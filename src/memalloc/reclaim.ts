/**
 * What an alloc in task context does before it returns NULL, and what a reserve and an open do before they are content
 * with less: for a group that is full, or for the whole heap.
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
  /** In debug heaps: what is held back is given up, before anything else is collected. */
  readonly collect?: () => void;
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
    const node = this.popAtMax(cache);
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
    this.program.collect?.();
    for (const cache of this.configured()) {
      if (this.isIdle(cache)) {
        this.stock.deferBatch(cache);
        this.stock.drain(cache);
      }
      this.pipeline.sendAllOn(cache);
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

  /** The same where it is a group that is full; else 0. */
  private popAtMax(cache: number): number {
    let node = 0;
    this.atMax([cache], () => {
      node = this.stock.popRefilled(cache);
      return node !== 0;
    });
    return node;
  }

  /**
   * If a group has no room for what these caches of one allocator need: collects what can be had and tries again; then
   * has the program do something about it, and tries once more. True if `again` got what it needs. Task context.
   */
  atMax(caches: readonly number[], again: () => boolean): boolean {
    if (!this.collectUnderMax(caches)) return false;
    if (again()) return true;
    const cache = this.refused(caches);
    if (cache === 0) return false;
    // nested: what the program does there finds the limit without being called again, and cannot end the allocator
    this.cpu.nested(CRITICAL_SHIFT, () =>
      this.program.atMax(this.supply.groupOf(cache), this.supply.refusing(cache)),
    );
    this.collectUnderMax(caches);
    return again();
  }

  /** One of these caches that gets nothing because its group is full, or 0. */
  refused(caches: readonly number[]): number {
    return caches.find((cache) => this.supply.refusing(cache) !== 0) ?? 0;
  }

  /**
   * What this CPU keeps for the full group, and those below it, goes back to slab: without waiting for readers. Not what is on
   * the lists of `wanting`: it would only be got again, if readers let it. False: no group is full.
   */
  private collectUnderMax(wanting: readonly number[]): boolean {
    const cache = this.refused(wanting);
    if (cache === 0) return false;
    const full = this.supply.refusing(cache);
    this.program.collect?.();
    const { charges } = this.supply.memcgs.stock;
    const isUnder = (each: number) => this.isIdle(each) && charges.isUnder(this.supply.groupOf(each), full);
    for (let i = 0; i < ROUNDS; i++) {
      for (const each of this.configured()) {
        if (!isUnder(each)) continue;
        this.stock.deferBatch(each);
        if (!wanting.includes(each)) this.stock.drain(each);
        this.pipeline.startRound(each, 0);
      }
      if (this.pipeline.advance(this.words.length) === 0) break;
    }
    return true;
  }

  /** True if the cache was opened, and no call further down the stack is using it. */
  private isIdle(cache: number): boolean {
    return readPrivate(this.words, cache + UNIT_WORDS) !== 0 && !this.stock.list.isBusy(cache);
  }
}
