/**
 * The stock of a cache: its free list, kept between the watermarks. Where objects for it come from, and where those go
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
  HIGH,
  LOW,
  RCU_BATCH,
  RCU_TGT,
  REFILLS,
  TAKEN,
  TGT,
  TRIMS,
  UNIT_WORDS,
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
      const isFilled = this.list.depth(cache) !== 0 || this.refillNow(cache);
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
      this.list.push(cache, node);
    }
    this.count(cache + TAKEN, got);
    return got;
  }

  /** An object from slab, which does not go onto the list; or 0. Any context. */
  takeFromSlab(cache: number): number {
    const node = this.supply.take(cache);
    if (node !== 0) this.count(cache + TAKEN, 1);
    return node;
  }

  /** Puts a chain that waits at this home onto the free list. HAND is idle. False: there is none. */
  private takeWaiting(cache: number): boolean {
    const first = this.pipeline.take(cache);
    if (first === 0) return false;
    this.list.pushChain(cache, first);
    return true;
  }

  /** Puts what a helper got onto the free list. HAND is idle. False: there is nothing. */
  takeGiven(cache: number): boolean {
    const first = this.inbox.take(cache);
    if (first === 0) return false;
    this.list.pushChain(cache, first);
    fetchAdd(this.words, cache + CHAINS, -1);
    return true;
  }

  /**
   * Fills the list up to `objects`, and has trims leave as many from here on. Returns how long it is: less if there is
   * no memory. `high` is the usual watermark. Task context; HAND is idle.
   */
  reserve(cache: number, objects: number, high: number): number {
    const keep = (readPrivate(this.words, cache + LOW) + high) >> 1;
    const raised = objects + 2 * readPrivate(this.words, cache + BATCH);
    writePrivate(this.words, cache + HIGH, objects <= keep ? high : raised);
    this.fill(cache, objects);
    // a larger reserve than this one may have been there
    if (this.list.depth(cache) > readPrivate(this.words, cache + HIGH)) this.trim(cache);
    return this.list.depth(cache);
  }

  /** Makes the free list `objects` long, or as long as it gets: nested calls may take what comes. */
  private fill(cache: number, objects: number): void {
    let before = -1;
    for (
      let depth = this.list.depth(cache);
      depth > before && depth < objects;
      depth = this.list.depth(cache)
    ) {
      before = depth;
      if (!this.takeWaiting(cache)) this.refillFromSlab(cache, objects - depth);
    }
  }

  /**
   * Instead of a refill: the RCU batch goes onto the free list, if nobody can see it any more. Not if there is room for
   * a refill besides, as the next one would soon follow; nor if many chains wait, since a refill sees to them. HAND is set.
   */
  recycle(cache: number): boolean {
    const { words } = this;
    if (readPrivate(words, cache + RCU_BATCH) === 0 || readPrivate(words, cache + RCU_TGT) !== cache)
      return false;
    if (this.pipeline.isBacklogged(cache) || !this.rcu.nobodyReads()) return false;
    // after the look: all of the batch had been unlinked before it
    const room = readPrivate(words, cache + HIGH) - readPrivate(words, cache + LOW);
    return this.list.recycleBusy(cache, room - readPrivate(words, cache + BATCH));
  }

  /**
   * A full batch that nobody sees any more: onto the free list if this is its home and has room, else home. Returns
   * true if many chains wait there. HAND is idle.
   */
  giveBack(cache: number, first: number, home: number): boolean {
    const hasRoom =
      this.list.depth(cache) + readPrivate(this.words, cache + BATCH) <=
      readPrivate(this.words, cache + HIGH);
    if (home !== cache || !hasRoom) return this.pipeline.sendHome(first, home);
    this.list.pushChain(cache, first);
    return this.pipeline.isBacklogged(cache);
  }

  /**
   * Sends the surplus over the average of the watermarks home, in chains of at most a batch. More than
   * one only if frees in a nested context made the list longer than the high watermark.
   */
  trim(cache: number): void {
    const high = readPrivate(this.words, cache + HIGH);
    const average = (readPrivate(this.words, cache + LOW) + high) >> 1;
    // more than the average only if there is a reserve
    const keep = Math.max(average, high - 2 * readPrivate(this.words, cache + BATCH));
    const home = readPrivate(this.words, cache + TGT);
    this.trace(this.cpu.tracepoints.trim, cache);
    this.count(cache + TRIMS, 1);
    this.shorten(cache, keep, home);
    this.advance(home);
  }

  /** Sees to the chains of a home, if many wait and that is not left to others. */
  advance(home: number): void {
    if (!this.cpu.isHelped && this.pipeline.isBacklogged(home)) this.pipeline.advance();
  }

  /** The batch goes on its way although it is not full. */
  deferBatch(cache: number): void {
    const first = this.list.takeBatch(cache);
    if (first !== 0) this.pipeline.defer(first, readPrivate(this.words, cache + RCU_TGT));
  }

  /** The whole free list goes home. */
  drain(cache: number): void {
    if (!this.list.isBusy(cache)) this.shorten(cache, 0, cache);
  }

  /** Makes the free list at most `keep` objects long; the others go to `home`, a batch at a time. */
  private shorten(cache: number, keep: number, home: number): void {
    for (let left = this.list.depth(cache) - keep; left > 0; left = this.list.depth(cache) - keep) {
      const first = this.list.popChain(cache, Math.min(left, readPrivate(this.words, cache + BATCH)));
      if (first === 0) return;
      this.pipeline.sendHome(first, home);
    }
  }

  private trace(probe: Probe | undefined, cache: number): void {
    if (probe === undefined) return;
    this.cpu.tracepoints.fire(
      probe,
      readPrivate(this.words, cache + UNIT_WORDS) << 2,
      this.list.depth(cache),
    );
  }

  /** Statistics: the owner's, read by anyone. Atomic, since a nested call may count in between. */
  private count(at: number, delta: number): void {
    fetchAdd(this.words, at, delta);
  }
}
