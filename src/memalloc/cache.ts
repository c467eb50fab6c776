/**
 * One cache: a bucket on one CPU. This file holds its opening and closing, the slow paths of alloc, free and
 * freeRcu, and its work; free-list.ts has its private lists, stock.ts how they are filled, pipeline.ts what leaves.
 *
 *                         alloc, free,    free, freeRcu    trim's push,     take of
 *                         work (owner)    nested           other CPUs       FREE_BY_RCU_TTRACE
 *     FREE_LIST, SPARE,   plain           no               no               no
 *     RCU_BATCH, HAND
 *     the extra lists     take all        push             no               no
 *     FREE_BY_RCU_TTRACE  one taker       -                push             one taker
 *
 * Progress: alloc, free: wait-free on stock; a refill or a trim is lock-free, and bounded by a batch.
 */
import { readPrivate, storeRelease, type Words, writePrivate } from "#primitive";
import type { Cpu } from "../cpu/index.ts";
import type { Kmalloc, Pages, Slab } from "../mm/index.ts";
import type { Rcu } from "../rcu/index.ts";
import { llistAdd, llistDelAll, llistNext } from "../sync/index.ts";
import { chainFirst, chainLink, chainPush } from "./chain.ts";
import type { FreeList } from "./free-list.ts";
import { checkWord, payloadOf } from "./header.ts";
import type { Inbox } from "./inbox.ts";
import {
  BATCH,
  FREE_LIST,
  FREE_LIST_EXTRA,
  HAND,
  HAND_CLOSED,
  HAND_IDLE,
  HAND_PUSH,
  HAND_RCU,
  HIGH,
  KEY,
  LOW,
  OBJECT_CHECK,
  OBJECT_HOME,
  OPEN,
  OWNER,
  RCU_BATCH,
  RCU_BATCH_EXTRA,
  RCU_TGT,
  SLAB_CACHE,
  SPARE,
  TGT,
  TRIMS,
  TURN,
  UNIT_WORDS,
  USUAL_LOW,
  WORK,
} from "./layout.ts";
import type { Pipeline } from "./pipeline.ts";
import { type AtLimits, Reclaim } from "./reclaim.ts";
import { fullAt, type Watermarks } from "./sizes.ts";
import { Stock } from "./stock.ts";
import type { Supply } from "./supply.ts";

/** What a cache is made with. */
export interface CacheConfig {
  readonly unitBytes: number;
  readonly watermarks: Watermarks;
  readonly slabCache: number;
  readonly key: number;
  /** The allocator's record. */
  readonly owner: number;
}

export class Caches {
  readonly words: Words;
  readonly cpu: Cpu;
  readonly pages: Pages;
  readonly pipeline: Pipeline;
  readonly rcu: Rcu;
  private readonly stock: Stock;
  private readonly list: FreeList;
  private readonly slab: Slab;
  private readonly inbox: Inbox;
  private readonly supply: Supply;
  private readonly reclaims: Reclaim;

  /** `configured` lists this CPU's instance of every cache of the heap. */
  constructor(
    cpu: Cpu,
    kmalloc: Kmalloc,
    supply: Supply,
    rcu: Rcu,
    pipeline: Pipeline,
    inbox: Inbox,
    configured: () => Iterable<number>,
    program: AtLimits,
  ) {
    this.inbox = inbox;
    this.supply = supply;
    this.rcu = rcu;
    this.words = cpu.words;
    this.cpu = cpu;
    this.slab = kmalloc.slab;
    this.pages = kmalloc.slab.pages;
    this.pipeline = pipeline;
    this.stock = new Stock(cpu, supply, rcu, pipeline, inbox);
    this.list = this.stock.list;
    this.reclaims = new Reclaim(cpu, kmalloc, supply, pipeline, this.stock, configured, program);
  }

  // -- opening and closing ----------------------------------------------------------------------

  /** Opens a cache of this CPU, if it is not, and puts a few objects on its list if it has none. False: out of memory. Task context. */
  open(cache: number, config: CacheConfig): boolean {
    const isNew = readPrivate(this.words, cache + KEY) !== config.key;
    if (isNew) this.configure(cache, config);
    if (isNew || this.isClosed(cache)) {
      // the thread that had this CPU before may have had a reserve
      writePrivate(this.words, cache + HIGH, fullAt(config.watermarks));
      writePrivate(this.words, cache + HAND, HAND_IDLE);
      storeRelease(this.words, cache + OPEN, 1);
    }
    if (this.list.isBusy(cache) || this.list.stock(cache) > 0) return true;
    const { prefill } = config.watermarks;
    return this.stock.refillFromSlab(cache, prefill) === prefill;
  }

  /** Once in the life of an allocator: other CPUs read some of it whenever they send objects home. */
  private configure(cache: number, config: CacheConfig): void {
    const { low, batch } = config.watermarks;
    writePrivate(this.words, cache + USUAL_LOW, low);
    this.list.setSpare(cache, 0);
    writePrivate(this.words, cache + BATCH, batch);
    writePrivate(this.words, cache + SLAB_CACHE, config.slabCache);
    writePrivate(this.words, cache + OWNER, config.owner);
    writePrivate(this.words, cache + TGT, cache);
    writePrivate(this.words, cache + RCU_TGT, cache);
    // for statistics and verify: caches whose UNIT_WORDS is 0 were never opened
    storeRelease(this.words, cache + UNIT_WORDS, config.unitBytes >>> 2);
    // last: a thread that finds it here, though the one before died, need not do this again
    writePrivate(this.words, cache + KEY, config.key);
  }

  /** Gives up a cache of this CPU: what it has goes the way of all freed objects. Task context. */
  close(cache: number): void {
    // pairs with the load in Pipeline.land: a chain pushed before that load sees 0 is sent on here
    storeRelease(this.words, cache + OPEN, 0);
    // each further round is owed to a nested call, which freed something, or had a refill, in between
    do {
      writePrivate(this.words, cache + HAND, HAND_IDLE);
      this.takeExtras(cache);
      this.stock.deferBatch(cache);
      this.stock.drain(cache);
      // from here on nested calls leave the lists alone
      writePrivate(this.words, cache + HAND, HAND_CLOSED);
    } while (!this.isEmpty(cache));
    const given = this.inbox.close(cache);
    if (given !== 0) this.pipeline.release(given);
    this.pipeline.startRound(cache, 0);
  }

  private isEmpty(cache: number): boolean {
    return [FREE_LIST, SPARE, RCU_BATCH, FREE_LIST_EXTRA, RCU_BATCH_EXTRA].every(
      (list) => readPrivate(this.words, cache + list) === 0,
    );
  }

  /**
   * This CPU's thread died, and another one acts as it. The lists are whole at every step, since their heads are written
   * last; the object that HAND names is on the way to one of them, or was to be handed out: it goes there.
   */
  settle(cache: number): void {
    this.list.settle(cache);
    const hand = readPrivate(this.words, cache + HAND);
    if (hand > 0) {
      const list = cache + ((hand & HAND_RCU) === 0 ? FREE_LIST : RCU_BATCH);
      const node = hand & ~(HAND_PUSH | HAND_RCU);
      const isThere = [list, cache + SPARE].some((each) => readPrivate(this.words, each) === node);
      if (!isThere) this.list.link(list, node);
    }
    writePrivate(this.words, cache + HAND, hand === HAND_CLOSED ? HAND_CLOSED : HAND_IDLE);
    this.cpu.irqWork.forget(cache + WORK);
    this.cpu.turnWork.forget(cache + TURN);
  }

  // -- slow paths of alloc and free -------------------------------------------------------------

  /** The rest of an alloc that set HAND busy and found the list low. Returns the payload's offset, or 0. */
  allocLow(cache: number): number {
    const node = this.list.popBusy(cache);
    const p = node === 0 ? 0 : this.handOut(cache, node);
    if (!this.list.isLow(cache)) writePrivate(this.words, cache + HAND, HAND_IDLE);
    else this.restock(cache);
    return p === 0 ? this.allocEmpty(cache) : p;
  }

  /**
   * The list is low, and there is no spare, or a short one. The batch, or a chain that waits here, is taken at once, in any
   * context; slab and callbacks are left to the work. HAND is set, and is let go.
   */
  private restock(cache: number): void {
    if (this.stock.recycle(cache)) writePrivate(this.words, cache + HAND, HAND_IDLE);
    else if (!this.stock.refillBusy(cache)) this.refillByWork(cache);
  }

  /** What is to be got is got by the work: in task context at once, if the mode says so; else later. HAND is set, and is let go. */
  private refillByWork(cache: number): void {
    if (this.cpu.isHelped) this.inbox.ask(cache);
    const isNow = this.cpu.inTask() && this.cpu.irqWork.isPrompt;
    // before HAND is let go: code that runs nested from there on, and finds the list empty, finds the work pending
    if (!isNow) this.cpu.irqWork.raise(cache + WORK);
    writePrivate(this.words, cache + HAND, HAND_IDLE);
    if (isNow) this.cpu.irqWork.runNow(cache + WORK);
  }

  /** The list was empty. In task context what is pending is done before NULL is returned, in every mode. */
  private allocEmpty(cache: number): number {
    this.cpu.irqWork.flush();
    let node = this.list.pop(cache) || (this.stock.takeGiven(cache) ? this.list.pop(cache) : 0);
    // a CPU that is helped has not asked slab itself yet
    if (node === 0 && this.cpu.inTask() && this.cpu.isHelped) node = this.stock.popRefilled(cache);
    if (node === 0 && this.cpu.inTask()) node = this.reclaims.pop(cache);
    return node === 0 ? 0 : this.handOut(cache, node);
  }

  /** A free on a busy cache. */
  freeBusy(cache: number, node: number): void {
    if (this.isClosed(cache)) this.pipeline.sendHome(this.single(node), cache);
    else this.addExtra(cache, FREE_LIST_EXTRA, node);
  }

  /** The rest of a free that set HAND to `node` and found the list full: that is the spare now, and what was goes home. */
  freeHigh(cache: number, node: number, home: number): void {
    const surplus = this.list.setAside(cache);
    this.list.link(cache + FREE_LIST, node);
    const to = readPrivate(this.words, cache + TGT);
    writePrivate(this.words, cache + TGT, home);
    if (surplus !== 0) this.stock.countBusy(cache + TRIMS);
    writePrivate(this.words, cache + HAND, HAND_IDLE);
    if (surplus === 0 || !this.stock.trim(cache, surplus, to)) return;
    this.cpu.irqWork.raise(cache + WORK);
    this.cpu.irqWork.kick();
  }

  /** A freeRcu on a busy cache. */
  freeRcuBusy(cache: number, node: number): void {
    if (this.isClosed(cache)) this.pipeline.defer(this.single(node), cache);
    else this.addExtra(cache, RCU_BATCH_EXTRA, node);
  }

  /** The rest of a freeRcu that set HAND to `node` and found the batch empty, or one short of full. */
  freeRcuEdge(cache: number, node: number, home: number): void {
    this.batch(cache, node, home);
    this.cpu.irqWork.kick();
  }

  /** Makes a popped node a live object whose home is this cache. Returns its payload's offset. */
  private handOut(cache: number, node: number): number {
    const p = payloadOf(node);
    writePrivate(this.words, node + OBJECT_HOME, cache);
    writePrivate(this.words, node + OBJECT_CHECK, checkWord(p, cache, readPrivate(this.words, cache + KEY)));
    return p;
  }

  /** A new, zeroed object, straight from slab; or 0. Any context. */
  allocFromSlab(cache: number): number {
    const node = this.stock.takeFromSlab(cache);
    // in task context the alloc before this has counted it
    if (node === 0 && !this.cpu.inTask()) this.supply.countFailure(cache);
    return node === 0 ? 0 : this.handOut(cache, node);
  }

  /** See MemCache.reserve. Errors: `bad-context`. */
  reserve(cache: number, objects: number, watermarks: Watermarks): number {
    this.cpu.checkTask("reserve()");
    const full = Math.max(fullAt(watermarks), objects);
    const fill = () => this.stock.reserve(cache, objects, full) >= objects;
    if (!fill()) this.reclaims.atMax([cache], fill);
    return this.list.stock(cache);
  }

  /** Zeroes the first `bytes` of a payload that this CPU owns. */
  zero(cache: number, p: number, bytes: number): void {
    this.slab.zero(readPrivate(this.words, cache + SLAB_CACHE), p >>> 2, (bytes + 3) >>> 2);
  }

  /** An object goes straight to slab, destroyed if need be. Any context. */
  freeToSlab(cache: number, node: number): void {
    this.pipeline.releaseNow(this.single(node), cache);
  }

  private single(node: number): number {
    chainPush(this.words, 0, node);
    return node;
  }

  private addExtra(cache: number, list: number, node: number): void {
    this.single(node);
    // pairs with takeExtras on this same CPU
    llistAdd(this.words, cache + list, chainLink(node));
    this.cpu.irqWork.raise(cache + WORK);
  }

  /** Puts an object into the batch; a full one becomes a chain. HAND is idle, or names `node` already. */
  private batch(cache: number, node: number, home: number): void {
    writePrivate(this.words, cache + HAND, node + HAND_RCU);
    if (readPrivate(this.words, cache + RCU_BATCH) === 0) {
      writePrivate(this.words, cache + RCU_TGT, home);
      // before the object is there: from the moment it is, the end of the turn knows of it
      this.cpu.turnWork.raise(cache + TURN);
    }
    const first = this.list.pushBatch(cache, node);
    if (first === 0) return;
    const to = readPrivate(this.words, cache + RCU_TGT);
    const many = this.rcu.nobodyReads()
      ? this.stock.giveBack(cache, first, to)
      : this.pipeline.defer(first, to);
    // chains are left to the next refill, or to the end of the turn, unless there are many
    if (many) this.cpu.irqWork.raise(cache + WORK);
  }

  // -- the work ---------------------------------------------------------------------------------

  /**
   * The irq_work of a cache: extras home, then a refill, of at most one batch, or callbacks that are ready.
   * False if a call further down the stack is using the cache.
   */
  work(item: number): boolean {
    const cache = item - WORK;
    if (this.list.isBusy(cache)) return this.isClosed(cache);
    this.takeExtras(cache);
    if (this.list.depth(cache) < readPrivate(this.words, cache + LOW)) this.stock.refill(cache);
    else if (!this.cpu.isHelped) this.pipeline.advance();
    return true;
  }

  /** The work of the end of a turn: the batch goes on its way although it is not full. */
  turn(item: number): boolean {
    const cache = item - TURN;
    if (this.list.isBusy(cache)) return this.isClosed(cache);
    this.stock.deferBatch(cache);
    return true;
  }

  private isClosed(cache: number): boolean {
    return readPrivate(this.words, cache + HAND) === HAND_CLOSED;
  }

  private takeExtras(cache: number): void {
    for (let link = this.takeExtra(cache + FREE_LIST_EXTRA); link !== 0; ) {
      const next = llistNext(this.words, link);
      this.put(cache, chainFirst(link));
      link = next;
    }
    for (let link = this.takeExtra(cache + RCU_BATCH_EXTRA); link !== 0; ) {
      const next = llistNext(this.words, link);
      this.batch(cache, chainFirst(link), cache);
      link = next;
    }
  }

  /** A free to this CPU's home, of an object that no call names. HAND is idle. */
  private put(cache: number, node: number): void {
    writePrivate(this.words, cache + HAND, node + HAND_PUSH);
    if (this.list.isFull(cache)) this.freeHigh(cache, node, cache);
    else this.list.push(cache, node);
  }

  private takeExtra(list: number): number {
    // plain: only this CPU touches the list, at whatever depth; a push in between raises the work again
    return readPrivate(this.words, list) === 0 ? 0 : llistDelAll(this.words, list);
  }

  /** See Reclaim. Task context. */
  atMax(caches: readonly number[], again: () => boolean): boolean {
    return this.reclaims.atMax(caches, again);
  }

  /** True if one of these caches gets nothing because its group is full. */
  isAtMax(caches: readonly number[]): boolean {
    return this.reclaims.refused(caches) !== 0;
  }

  /** Out of memory: see Reclaim. Task context. */
  reclaim(): void {
    this.reclaims.reclaim();
  }

  /** Still out of memory: see Reclaim. Task context. */
  askProgram(): boolean {
    return this.reclaims.askProgram();
  }
}
