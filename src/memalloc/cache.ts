/**
 * One cache: a bucket on one CPU. This file holds every step but the two fast paths (mem-alloc.ts,
 * mem-cache.ts), which are written out there because each call costs.
 *
 *                         alloc, free,    free      trim's push,     take of
 *                         work (owner)    nested    other CPUs       FREE_BY_RCU_TTRACE
 *     FREE_LIST, HAND     plain           no        no               no
 *     FREE_LIST_EXTRA     take all        push      no               no
 *     FREE_BY_RCU_TTRACE  one taker       -         push             one taker
 *
 * A step on FREE_LIST: see that HAND is idle, set it, read the list, name the object in HAND, change
 * the list, set HAND idle. Whatever runs nested before HAND is set leaves it idle again, and the list
 * is read after; whatever runs nested later sees HAND and stays away. So no step needs an atomic.
 *
 * Progress: alloc, free: wait-free but for the work they may run, which is bounded by a batch.
 */
import {
  fetchAdd,
  loadAcquire,
  readPrivate,
  storeRelease,
  type Words,
  writePrivate,
  zeroPrivate,
} from "#primitive";
import type { Cpu, PercpuAreas } from "../cpu/index.ts";
import { type Kmalloc, type Pages, type Slab, slabPageAt } from "../mm/index.ts";
import {
  llistAdd,
  llistDelAll,
  llistDelFirst,
  llistEmpty,
  llistNext,
  releaseTaker,
  tryTake,
} from "../sync/index.ts";
import { chainFirst, chainLink, chainNext, chainPush } from "./chain.ts";
import { checkWord, payloadOf } from "./header.ts";
import {
  BATCH,
  FREE_BY_RCU_TTRACE,
  FREE_LIST,
  FREE_LIST_EXTRA,
  HAND,
  HAND_BUSY,
  HAND_CLOSED,
  HAND_IDLE,
  HAND_PUSH,
  HIGH,
  KEY,
  LOW,
  OBJECT_CHECK,
  OBJECT_HOME,
  OPEN,
  REFILLS,
  SLAB_CACHE,
  TAKEN,
  TAKER,
  TGT,
  TRIMS,
  UNIT_WORDS,
  WORK,
  WORK_ID_CACHE,
} from "./layout.ts";
import type { Watermarks } from "./sizes.ts";

/** What a cache is made with. */
export interface CacheConfig {
  readonly unitBytes: number;
  readonly watermarks: Watermarks;
  readonly slabCache: number;
  readonly key: number;
}

export class Caches {
  readonly words: Words;
  readonly cpu: Cpu;
  readonly pages: Pages;
  private readonly areas: PercpuAreas;
  private readonly kmalloc: Kmalloc;
  private readonly slab: Slab;
  private readonly configured: () => Iterable<number>;

  /** `configured` lists this CPU's instance of every cache of the heap. */
  constructor(cpu: Cpu, areas: PercpuAreas, kmalloc: Kmalloc, configured: () => Iterable<number>) {
    this.words = areas.words;
    this.cpu = cpu;
    this.areas = areas;
    this.kmalloc = kmalloc;
    this.slab = kmalloc.slab;
    this.pages = kmalloc.slab.pages;
    this.configured = configured;
  }

  // -- opening and closing ----------------------------------------------------------------------

  /** Opens a cache of this CPU, if it is not, and puts a few objects on its list. False: out of memory. Task context. */
  open(cache: number, config: CacheConfig): boolean {
    if (readPrivate(this.words, cache + UNIT_WORDS) === 0) this.configure(cache, config);
    else if (readPrivate(this.words, cache + HAND) !== HAND_CLOSED) return true;
    writePrivate(this.words, cache + HAND, HAND_IDLE);
    storeRelease(this.words, cache + OPEN, 1);
    const { prefill } = config.watermarks;
    return this.refillFromSlab(cache, prefill) === prefill;
  }

  /** Once in the life of a cache: other CPUs read some of it whenever they send objects home. */
  private configure(cache: number, config: CacheConfig): void {
    const { low, high, batch } = config.watermarks;
    writePrivate(this.words, cache + LOW, low);
    writePrivate(this.words, cache + HIGH, high);
    writePrivate(this.words, cache + BATCH, batch);
    writePrivate(this.words, cache + SLAB_CACHE, config.slabCache);
    writePrivate(this.words, cache + KEY, config.key);
    writePrivate(this.words, cache + TGT, cache);
    this.cpu.irqWork.init(cache + WORK, WORK_ID_CACHE);
    // for statistics and verify: caches whose UNIT_WORDS is 0 were never opened
    storeRelease(this.words, cache + UNIT_WORDS, config.unitBytes >>> 2);
  }

  /** Gives up a cache of this CPU: everything it has goes back to slab. Task context; the CPU is dying. */
  close(cache: number): void {
    // pairs with the load in sendHome: a chain pushed before that load sees 0 is taken by startRound here
    storeRelease(this.words, cache + OPEN, 0);
    this.takeExtras(cache);
    this.drain(cache);
    this.startRound(cache);
    writePrivate(this.words, cache + HAND, HAND_CLOSED);
  }

  // -- slow paths of alloc and free -------------------------------------------------------------

  /** The rest of an alloc that set HAND busy and found the list low. Returns the payload's offset, or 0. */
  allocLow(cache: number): number {
    const node = this.popBusy(cache);
    const p = node === 0 ? 0 : this.handOut(cache, node);
    // raised before HAND is let go: code that runs nested from there on, and finds the list empty,
    // finds the work pending
    this.cpu.irqWork.raise(cache + WORK);
    writePrivate(this.words, cache + HAND, HAND_IDLE);
    this.cpu.irqWork.kick();
    return p === 0 ? this.allocEmpty(cache) : p;
  }

  /** The list was empty; in task context the pending work has run. */
  private allocEmpty(cache: number): number {
    let node = this.pop(cache);
    if (node === 0 && this.cpu.inTask()) {
      this.reclaim();
      this.refill(cache);
      node = this.pop(cache);
    }
    return node === 0 ? 0 : this.handOut(cache, node);
  }

  /** A free on a busy cache. */
  freeBusy(cache: number, node: number): void {
    chainPush(this.words, 0, node);
    // pairs with takeExtras on this same CPU
    llistAdd(this.words, cache + FREE_LIST_EXTRA, chainLink(node));
    this.cpu.irqWork.raise(cache + WORK);
  }

  /** The rest of a free that set HAND to `node` and found the list full. */
  freeHigh(cache: number, node: number, home: number): void {
    this.link(cache, node);
    writePrivate(this.words, cache + TGT, home);
    this.cpu.irqWork.raise(cache + WORK);
    writePrivate(this.words, cache + HAND, HAND_IDLE);
    this.cpu.irqWork.kick();
  }

  /** Makes a popped node a live object whose home is this cache. Returns its payload's offset. */
  private handOut(cache: number, node: number): number {
    const p = payloadOf(node);
    writePrivate(this.words, node + OBJECT_HOME, cache);
    writePrivate(this.words, node + OBJECT_CHECK, checkWord(p, cache, readPrivate(this.words, cache + KEY)));
    return p;
  }

  // -- the free list ----------------------------------------------------------------------------

  /** Length of the free list. HAND is idle. */
  private depth(cache: number): number {
    // set between the two reads, so that no nested call takes the first object away in between
    writePrivate(this.words, cache + HAND, HAND_BUSY);
    // an empty list is NULL, whose depth word is 0
    const depth = readPrivate(this.words, readPrivate(this.words, cache + FREE_LIST) + OBJECT_CHECK);
    writePrivate(this.words, cache + HAND, HAND_IDLE);
    return depth;
  }

  /** Takes the first object, or returns 0: none there, or busy. */
  private pop(cache: number): number {
    if (readPrivate(this.words, cache + HAND) !== HAND_IDLE) return 0;
    writePrivate(this.words, cache + HAND, HAND_BUSY);
    const node = this.popBusy(cache);
    writePrivate(this.words, cache + HAND, HAND_IDLE);
    return node;
  }

  /** The same, with HAND already set. */
  private popBusy(cache: number): number {
    const node = readPrivate(this.words, cache + FREE_LIST);
    if (node === 0) return 0;
    writePrivate(this.words, cache + HAND, node);
    writePrivate(this.words, cache + FREE_LIST, readPrivate(this.words, node + OBJECT_HOME));
    return node;
  }

  /** Puts an object that this CPU owns on the list. The work and whoever opens the cache found HAND idle. */
  private push(cache: number, node: number): void {
    writePrivate(this.words, cache + HAND, node + HAND_PUSH);
    this.link(cache, node);
    writePrivate(this.words, cache + HAND, HAND_IDLE);
  }

  /** HAND names `node`. */
  private link(cache: number, node: number): void {
    const head = readPrivate(this.words, cache + FREE_LIST);
    writePrivate(this.words, node + OBJECT_HOME, head);
    writePrivate(this.words, node + OBJECT_CHECK, readPrivate(this.words, head + OBJECT_CHECK) + 1);
    writePrivate(this.words, cache + FREE_LIST, node);
  }

  // -- the work ---------------------------------------------------------------------------------

  /**
   * The irq_work of a cache: extras home, then a refill or a trim, at most one batch. False if a call
   * further down the stack is using the cache.
   */
  work(item: number): boolean {
    const cache = item - WORK;
    if (readPrivate(this.words, cache + HAND) !== HAND_IDLE) return false;
    this.takeExtras(cache);
    const depth = this.depth(cache);
    if (depth < readPrivate(this.words, cache + LOW)) this.refill(cache);
    else if (depth > readPrivate(this.words, cache + HIGH)) this.trim(cache);
    return true;
  }

  private takeExtras(cache: number): void {
    let link = llistDelAll(this.words, cache + FREE_LIST_EXTRA);
    while (link !== 0) {
      const next = llistNext(this.words, link);
      this.push(cache, chainFirst(link));
      link = next;
    }
  }

  private refill(cache: number): void {
    if (!this.refillFromChain(cache)) this.refillFromSlab(cache, readPrivate(this.words, cache + BATCH));
    this.count(cache + REFILLS, 1);
  }

  /** Reuses one chain of freed objects whose home this is. False if there is none to be had. */
  private refillFromChain(cache: number): boolean {
    if (llistEmpty(this.words, cache + FREE_BY_RCU_TTRACE)) return false;
    if (!tryTake(this.words, cache + TAKER, this.cpu.claim)) return false;
    const link = llistDelFirst(this.words, cache + FREE_BY_RCU_TTRACE);
    releaseTaker(this.words, cache + TAKER);
    if (link === 0) return false;
    for (let node = chainFirst(link); node !== 0; ) {
      const next = chainNext(this.words, node);
      this.push(cache, node);
      node = next;
    }
    return true;
  }

  /** Up to `count` zeroed objects from slab. Returns how many; stops at the first failure. */
  private refillFromSlab(cache: number, count: number): number {
    const slabCache = readPrivate(this.words, cache + SLAB_CACHE);
    const unit = readPrivate(this.words, cache + UNIT_WORDS);
    let got = 0;
    while (got < count) {
      const node = this.slab.alloc(slabCache);
      if (node === 0) break;
      zeroPrivate(this.words, node, unit);
      this.push(cache, node);
      got++;
    }
    this.count(cache + TAKEN, got);
    return got;
  }

  /**
   * Sends the surplus over the average of the watermarks home, in chains of at most a batch. More than
   * one only if frees in a nested context made the list longer than the high watermark.
   */
  private trim(cache: number): void {
    const keep = (readPrivate(this.words, cache + LOW) + readPrivate(this.words, cache + HIGH)) >> 1;
    this.count(cache + TRIMS, 1);
    for (let left = this.depth(cache); left > keep; left = this.depth(cache)) {
      const first = this.popChain(cache, Math.min(left - keep, readPrivate(this.words, cache + BATCH)));
      if (first === 0) return;
      this.sendHome(readPrivate(this.words, cache + TGT), first);
    }
  }

  /** Pops up to `count` objects, as a chain. Returns its first, or 0. */
  private popChain(cache: number, count: number): number {
    let first = 0;
    for (let left = count; left > 0; left--) {
      const node = this.pop(cache);
      if (node === 0) break;
      chainPush(this.words, first, node);
      first = node;
    }
    return first;
  }

  /** A chain goes to its home's list, and from there to slab at once if nobody would reuse it. */
  private sendHome(home: number, first: number): void {
    const older = !llistEmpty(this.words, home + FREE_BY_RCU_TTRACE);
    // pairs with refillFromChain and startRound: hands the chain over
    llistAdd(this.words, home + FREE_BY_RCU_TTRACE, chainLink(first));
    // looked at after the push: an owner that closes the cache empties the list after it says so
    if (older || loadAcquire(this.words, home + OPEN) === 0) this.startRound(home);
  }

  /** Sends all chains that wait at `home` back to slab. Whoever holds the taker word meanwhile does it for us. */
  private startRound(home: number): void {
    // each further pass is owed to another CPU's push during the last one
    for (
      let pass = 0;
      pass < this.areas.maxCpus && !llistEmpty(this.words, home + FREE_BY_RCU_TTRACE);
      pass++
    ) {
      if (!tryTake(this.words, home + TAKER, this.cpu.claim)) return;
      let link = llistDelAll(this.words, home + FREE_BY_RCU_TTRACE);
      releaseTaker(this.words, home + TAKER);
      while (link !== 0) {
        const next = llistNext(this.words, link);
        this.freeChain(home, chainFirst(link));
        link = next;
      }
    }
  }

  /** Frees the objects of a chain, which this CPU owns, to slab. */
  private freeChain(home: number, first: number): void {
    const slabCache = readPrivate(this.words, home + SLAB_CACHE);
    let freed = 0;
    for (let node = first; node !== 0; freed++) {
      const next = chainNext(this.words, node);
      this.slab.free(slabCache, slabPageAt(this.pages, node), node);
      node = next;
    }
    this.count(this.areas.instanceOn(this.cpu.id, home) + TAKEN, -freed);
  }

  /**
   * Out of memory: gives back all that can be had without other CPUs' private lists. Looks at every listed
   * slab, since NULL is promised to mean that there is nothing. Task context.
   */
  reclaim(): void {
    for (const cache of this.configured()) {
      for (let cpu = 0; cpu < this.areas.maxCpus; cpu++) this.startRound(this.areas.instanceOn(cpu, cache));
      if (readPrivate(this.words, cache + UNIT_WORDS) !== 0) this.drain(cache);
    }
    this.kmalloc.flush();
    this.kmalloc.shrink(2 * this.pages.total);
  }

  /** The whole free list goes back to slab. */
  private drain(cache: number): void {
    if (readPrivate(this.words, cache + HAND) !== HAND_IDLE) return; // closed, or in use further down the stack
    this.freeChain(cache, this.popChain(cache, this.depth(cache)));
  }

  /** Statistics: the owner's, read by anyone. Atomic, since a nested call may count in between. */
  private count(at: number, delta: number): void {
    fetchAdd(this.words, at, delta);
  }
}
