/**
 * The stock of a cache: its free list and its spare, kept between the watermarks. Where objects for it come from, and where those go
 * that it does not need.
 */
import { fetchAdd, readPrivate, type Words, writePrivate } from "#primitive";
import type { Cpu, Probe } from "../cpu/index.ts";
import type { Rcu } from "../rcu/index.ts";
import { FreeList } from "./free-list.ts";
import type { Inbox } from "./inbox.ts";
import {
  BATCH,
  CHAINS,
  HAND,
  HAND_IDLE,
  HIGH,
  OBJECT_CHECK,
  RCU_BATCH,
  RCU_TGT,
  REFILLS,
  TAKEN,
  TRIMS,
  UNIT_WORDS,
  USUAL_LOW,
} from "./layout.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Supply } from "./supply.ts";

/** Most refills of one alloc. */
const ROUNDS = 8;

export class Stock {
  readonly list: FreeList;
  private readonly words: Words;
  private readonly cpu: Cpu;
  private readonly supply: Supply;
  private readonly rcu: Rcu;
  private readonly pipeline: Pipeline;
  private readonly inbox: Inbox;

  constructor(cpu: Cpu, supply: Supply, rcu: Rcu, pipeline: Pipeline, inbox: Inbox) {
    this.words = cpu.words;
    this.list = new FreeList(cpu.words);
    this.cpu = cpu;
    this.supply = supply;
    this.rcu = rcu;
    this.pipeline = pipeline;
    this.inbox = inbox;
  }

  /** The list is low: a chain that waits here; else a batch from slab, or, where that is left to others, it is asked for. */
  refill(cache: number): void {
    if (!this.cpu.isHelped) this.refillNow(cache);
    else if (this.takeWaiting(cache) || this.takeGiven(cache)) this.count(cache + REFILLS, 1);
    else this.inbox.ask(cache);
  }

  /** As refill, in every mode by this CPU itself. False: there is nothing to be had. */
  refillNow(cache: number): boolean {
    this.trace(this.cpu.tracepoints.refill, cache);
    this.count(cache + REFILLS, 1);
    return (
      this.takeWaiting(cache) ||
      this.pipeline.refill(cache) ||
      this.refillFromSlab(cache, readPrivate(this.words, cache + BATCH)) > 0
    );
  }

  /**
   * Takes an object, after a refill if one is needed. Each further round is owed to a nested call that took what the last
   * one got. A handler that the round itself calls may do that every time: so in the end comes one that is on no list.
   */
  popRefilled(cache: number): number {
    for (let i = 0; i < ROUNDS; i++) {
      // the callbacks may have filled it
      const isFilled = this.list.stock(cache) !== 0 || this.refillNow(cache);
      const node = this.list.pop(cache);
      if (node !== 0 || !isFilled) return node;
    }
    return this.takeFromSlab(cache);
  }

  /** Up to `count` zeroed objects from slab. Returns how many; stops at the first failure. HAND is idle. */
  refillFromSlab(cache: number, count: number): number {
    let got = 0;
    for (; got < count; got++) {
      const node = this.supply.take(cache);
      if (node === 0) break;
      this.list.pushNew(cache, node);
    }
    this.count(cache + TAKEN, got);
    this.list.endRefill(cache);
    this.shorten(cache);
    return got;
  }

  /** An object from slab, which does not go onto the list; or 0. Any context. */
  takeFromSlab(cache: number): number {
    const node = this.supply.take(cache);
    if (node !== 0) this.count(cache + TAKEN, 1);
    return node;
  }

  /** Takes a chain that waits at this home. HAND is idle. False: there is none. */
  private takeWaiting(cache: number): boolean {
    const first = this.pipeline.take(cache);
    if (first !== 0) this.add(cache, first);
    return first !== 0;
  }

  /** Adds a chain for which there was room, unless frees that were nested since have taken it. HAND is idle. */
  private add(cache: number, first: number): void {
    if (!this.list.pushChain(cache, first)) this.pipeline.sendHome(first, cache);
  }

  /** Takes what a helper got. HAND is idle. False: there is nothing. */
  takeGiven(cache: number): boolean {
    const first = this.inbox.take(cache);
    if (first === 0) return false;
    this.add(cache, first);
    fetchAdd(this.words, cache + CHAINS, -1);
    return true;
  }

  /**
   * Has the free list be as long as `full` from here on, which is at least `objects`, so that trims leave as many; and gets them
   * now. Returns how many there are: fewer if there is no memory. Task context; HAND is idle.
   */
  reserve(cache: number, objects: number, full: number): number {
    writePrivate(this.words, cache + HIGH, full);
    this.fill(cache, objects);
    // a larger reserve than this one may have been there
    this.shorten(cache);
    return this.list.stock(cache);
  }

  /** Gets objects until there are so many, or no more come: nested calls may take them. */
  private fill(cache: number, objects: number): void {
    let before = -1;
    for (
      let stock = this.list.stock(cache);
      stock > before && stock < objects;
      stock = this.list.stock(cache)
    ) {
      before = stock;
      if (!this.takeWaiting(cache)) this.refillFromSlab(cache, objects - stock);
    }
  }

  /**
   * Instead of a refill: the RCU batch, if nobody can see it any more. Not if there is room for
   * a refill besides, as the next one would soon follow; nor if many chains wait, since a refill sees to them. HAND is set.
   */
  recycle(cache: number): boolean {
    const { words } = this;
    if (readPrivate(words, cache + RCU_BATCH) === 0 || readPrivate(words, cache + RCU_TGT) !== cache)
      return false;
    if (this.pipeline.isBacklogged(cache) || !this.rcu.nobodyReads()) return false;
    // after the look: all of the batch had been unlinked before it
    return this.list.recycleBusy(
      cache,
      readPrivate(words, cache + HIGH) - readPrivate(words, cache + USUAL_LOW),
    );
  }

  /**
   * Instead of the work of a refill: a chain that waits here. HAND is set, and let go when this returns true: a probe
   * may call anything. False: there is none.
   */
  refillBusy(cache: number): boolean {
    const first = this.pipeline.take(cache);
    if (first === 0) return false;
    const { refill } = this.cpu.tracepoints;
    const before = refill === undefined ? 0 : this.list.stockBusy(cache);
    this.countBusy(cache + REFILLS);
    this.list.addChain(cache, first);
    writePrivate(this.words, cache + HAND, HAND_IDLE);
    if (refill !== undefined) this.fire(refill, cache, before);
    return true;
  }

  /** A full batch that nobody sees any more stays, if this is its home and has room. True if many chains wait. HAND is idle. */
  giveBack(cache: number, first: number, home: number): boolean {
    if (home === cache && this.list.pushChain(cache, first)) return this.pipeline.isBacklogged(cache);
    return this.pipeline.sendHome(first, home);
  }

  /** A spare whose place another one took goes home; it is counted. Returns true if many chains wait there. Any context. */
  trim(cache: number, first: number, home: number): boolean {
    // it is a list still, which knows its length
    this.trace(this.cpu.tracepoints.trim, cache, readPrivate(this.words, first + OBJECT_CHECK));
    return this.pipeline.sendHome(first, home);
  }

  /** What is above the high watermark goes home: nothing, unless frees were nested in a refill, or a reserve was larger. HAND is idle. */
  shorten(cache: number): void {
    const high = readPrivate(this.words, cache + HIGH);
    if (this.list.stock(cache) <= high + readPrivate(this.words, cache + BATCH)) return;
    this.trace(this.cpu.tracepoints.trim, cache);
    this.count(cache + TRIMS, 1);
    this.sendAllBut(cache, high);
  }

  /** The batch goes on its way although it is not full. */
  deferBatch(cache: number): void {
    const first = this.list.takeBatch(cache);
    if (first !== 0) this.pipeline.defer(first, readPrivate(this.words, cache + RCU_TGT));
  }

  /** The whole stock goes home. */
  drain(cache: number): void {
    if (this.list.isBusy(cache)) return;
    this.sendAllBut(cache, 0);
    const spare = this.list.takeSpare(cache);
    if (spare !== 0) this.pipeline.sendHome(spare, cache);
  }

  /** Makes the free list at most `keep` objects long; the others go home, a batch at a time. */
  private sendAllBut(cache: number, keep: number): void {
    for (let left = this.list.depth(cache) - keep; left > 0; left = this.list.depth(cache) - keep) {
      const first = this.list.popChain(cache, Math.min(left, readPrivate(this.words, cache + BATCH)));
      if (first === 0) return;
      this.pipeline.sendHome(first, cache);
    }
  }

  /** `more`: objects that are in no list of the cache any more. */
  private trace(probe: Probe | undefined, cache: number, more = 0): void {
    if (probe !== undefined) this.fire(probe, cache, this.list.stock(cache) + more);
  }

  private fire(probe: Probe, cache: number, stock: number): void {
    this.cpu.tracepoints.fire(probe, readPrivate(this.words, cache + UNIT_WORDS) << 2, stock);
  }

  /** Statistics: the owner's, read by anyone. Atomic, since a nested call may count in between. */
  private count(at: number, delta: number): void {
    fetchAdd(this.words, at, delta);
  }

  /** Counts one, plainly: HAND is set, so no nested call counts in between. */
  countBusy(at: number): void {
    writePrivate(this.words, at, readPrivate(this.words, at) + 1);
  }
}
