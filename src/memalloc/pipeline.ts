/**
 * The way of a chain of freed objects back to slab, and what its home's refills take from it:
 *
 *     freeRcu -> defer -(RCU grace period)-> adopt: the stock of its home, if that is here and has room
 *                                         -> land: FREE_BY_RCU_TTRACE of its home
 *     trim, close ---------------------------> land
 *     FREE_BY_RCU_TTRACE -> take (a refill of its home)
 *     FREE_BY_RCU_TTRACE -> startRound -(tasks-trace grace period, then RCU unless implied)-> slab
 *
 * A chain is its own callback: its link is on one list after the other, and each step but a refill may be taken by
 * any CPU. So there is no "round in flight" that has to be claimed, watched or handed over.
 *
 * Progress: lock-free; each call moves a bounded number of chains.
 */
import {
  cmpxchg,
  fetchAdd,
  loadAcquire,
  readPrivate,
  storeRelease,
  type Words,
  writePrivate,
} from "#primitive";
import { type Cpu, NOT_CLAIMED, type PercpuAreas } from "../cpu/index.ts";
import type { Callbacks, Kind } from "../rcu/index.ts";
import { llistAdd, llistDelAll, llistDelFirst, llistEmpty, llistNext, releaseTaker } from "../sync/index.ts";
import { chainFirst, chainHome, chainLink, chainNext, chainPush, chainSeal } from "./chain.ts";
import type { Destructor, Destructors } from "./destructors.ts";
import { FreeList } from "./free-list.ts";
import {
  CHAINS,
  FREE_BY_RCU_TTRACE,
  GATHER_CHAINS,
  KEEP_CHAINS,
  KIND_LAST,
  KIND_RCU,
  KIND_ROUND,
  KIND_TRACE,
  LANDED,
  OPEN,
  ROUND,
  ROUND_PENDING,
  RUN_CHAINS,
  TAKEN,
  TAKER,
} from "./layout.ts";
import type { Supply } from "./supply.ts";

export class Pipeline {
  readonly callbacks: Callbacks;
  private readonly words: Words;
  private readonly cpu: Cpu;
  private readonly areas: PercpuAreas;
  private readonly list: FreeList;
  private readonly supply: Supply;
  private readonly destructors: Destructors;
  private readonly gatherChains: number;
  private readonly keepChains: number;

  constructor(
    cpu: Cpu,
    areas: PercpuAreas,
    supply: Supply,
    callbacks: Callbacks,
    destructors: Destructors,
    gatherChains: number = GATHER_CHAINS,
    keepChains: number = KEEP_CHAINS,
  ) {
    this.words = areas.words;
    this.cpu = cpu;
    this.areas = areas;
    this.list = new FreeList(areas.words);
    this.supply = supply;
    this.callbacks = callbacks;
    this.destructors = destructors;
    this.gatherChains = gatherChains;
    this.keepChains = keepChains;
  }

  /** The kinds of callbacks that a chain goes through; KIND_* are their indices. */
  kinds(traceImpliesRcu: boolean): Kind[] {
    const chain = (handler: (first: number) => unknown) => (item: number) => handler(chainFirst(item));
    return [
      { rcu: true, trace: false, handler: chain((first) => this.adopt(first) || this.land(first)) },
      { rcu: false, trace: false, handler: (item) => this.runRound(item - ROUND) },
      {
        rcu: traceImpliesRcu,
        trace: true,
        handler: traceImpliesRcu
          ? chain((first) => this.release(first))
          : (item) => this.callbacks.call(KIND_LAST, item),
      },
      { rcu: true, trace: false, handler: chain((first) => this.release(first)) },
    ];
  }

  /** Sends a chain of objects freed with freeRcu on its way. Returns true if many wait. Any context. */
  defer(first: number, home: number): boolean {
    const chains = this.begin(first, home);
    this.callbacks.call(KIND_RCU, chainLink(first));
    return this.isMany(chains);
  }

  /** True if so many chains of `home` wait that work has to see to them. */
  isBacklogged(home: number): boolean {
    return this.isMany(loadAcquire(this.words, home + CHAINS));
  }

  private isMany(chains: number): boolean {
    return chains >= 2 * this.gatherChains;
  }

  /** Sends a chain of objects that no synchronous reader is promised home. Returns true if many wait. Any context. */
  sendHome(first: number, home: number): boolean {
    const chains = this.begin(first, home);
    this.land(first);
    return this.isMany(chains);
  }

  /** Frees the objects of a chain to slab at once: nobody sees them, says the caller. Any context. */
  releaseNow(first: number, home: number): void {
    this.begin(first, home);
    this.release(first);
  }

  /** An object is on its way from here on, alone, with whoever calls: as a chain that was begun. Any context. */
  hold(node: number, home: number): void {
    chainPush(this.words, 0, node);
    this.begin(node, home);
  }

  /** An object that was held, and whose header may be damaged, goes home; or straight to slab. Any context. */
  letGo(node: number, home: number, toSlab: boolean): void {
    chainPush(this.words, 0, node);
    chainSeal(this.words, node, home);
    if (toSlab) this.release(node);
    else if (!this.adopt(node)) this.land(node);
  }

  /** Runs callbacks of this CPU that are ready, `limit` of each kind. Returns how many. Task context or work. */
  advance(limit = RUN_CHAINS): number {
    return (
      this.callbacks.run(this.cpu.id, KIND_RCU, limit) +
      this.callbacks.run(this.cpu.id, KIND_TRACE, limit) +
      this.callbacks.run(this.cpu.id, KIND_LAST, limit)
    );
  }

  /**
   * Moves chains on whose RCU grace period is over, in the hope of one for the stock of `home`, which is this
   * CPU's. True if there was one. A grace period is driven for several chains at once: until they have gathered,
   * slab is cheaper.
   */
  refill(home: number): boolean {
    const stock = this.list.stock(home);
    for (let i = 0; i < RUN_CHAINS; i++) {
      if (this.runOne(home) === 0) return false;
      if (this.list.stock(home) > stock) return true;
    }
    return false;
  }

  private runOne(home: number): number {
    const { callbacks, cpu } = this;
    const ran = callbacks.run(cpu.id, KIND_RCU, 1, false);
    if (ran !== 0 || loadAcquire(this.words, home + CHAINS) < this.gatherChains) return ran;
    return callbacks.run(cpu.id, KIND_RCU, 1);
  }

  /** Takes a chain that waits at `home`, which is this CPU's. Returns its first object, or 0. */
  take(home: number): number {
    if (llistEmpty(this.words, home + FREE_BY_RCU_TTRACE)) return 0;
    // a CPU that died with it left the list whole
    if (this.cpu.claimTaker(home + TAKER) === NOT_CLAIMED) return 0;
    const link = llistDelFirst(this.words, home + FREE_BY_RCU_TTRACE);
    releaseTaker(this.words, home + TAKER);
    if (link === 0) return 0;
    fetchAdd(this.words, home + CHAINS, -1);
    return chainFirst(link);
  }

  /** Sends the chains that wait at `home` on to slab, but for the `keep` newest. */
  startRound(home: number, keep: number): void {
    if (llistEmpty(this.words, home + FREE_BY_RCU_TTRACE)) return;
    // who holds it takes one, or sends some on; what is left is raised
    if (this.cpu.claimTaker(home + TAKER) === NOT_CLAIMED) return;
    let link = this.cut(home + FREE_BY_RCU_TTRACE, keep);
    releaseTaker(this.words, home + TAKER);
    while (link !== 0) {
      const next = llistNext(this.words, link);
      this.callbacks.call(KIND_TRACE, link);
      link = next;
    }
  }

  /** What waits at homes like `cache`, on all CPUs, goes on, whether their refills have use for it or not. */
  sendAllOn(cache: number): void {
    for (let cpu = 0; cpu < this.areas.maxCpus; cpu++) this.startRound(this.areas.instanceOn(cpu, cache), 0);
  }

  /** Takes what is behind the first `keep` nodes off a list whose taker word is held. Returns its first node, or 0. */
  private cut(list: number, keep: number): number {
    if (keep === 0) return llistDelAll(this.words, list);
    // the nodes stay where they are: others push in front of them meanwhile, and nobody takes
    let last = loadAcquire(this.words, list);
    for (let left = keep; left > 1 && last !== 0; left--) last = llistNext(this.words, last);
    if (last === 0) return 0;
    const rest = llistNext(this.words, last);
    writePrivate(this.words, last, 0);
    return rest;
  }

  /** A chain of that home is on its way. Returns how many others were. */
  begin(first: number, home: number): number {
    chainSeal(this.words, first, home);
    return fetchAdd(this.words, home + CHAINS, 1);
  }

  /** The chain is added to the stock of its home, if that is this CPU's and has room. */
  private adopt(first: number): boolean {
    const { words, list } = this;
    const home = chainHome(words, first);
    if (home !== this.areas.instanceOn(this.cpu.id, home) || list.isBusy(home)) return false;
    if (!list.pushChain(home, first)) return false;
    fetchAdd(words, home + CHAINS, -1);
    return true;
  }

  /** The chain is home: it waits for a refill, and goes on if too many do or nobody is there. */
  private land(first: number): void {
    const home = chainHome(this.words, first);
    // pairs with take and startRound: hands the chain over
    llistAdd(this.words, home + FREE_BY_RCU_TTRACE, chainLink(first));
    this.raiseRound(home, chainLink(first));
    // looked at after the push: an owner that closes the cache empties the list after it says so
    if (loadAcquire(this.words, home + OPEN) === 0) this.startRound(home, 0);
    else if (this.countLanded(home)) this.startRound(home, this.keepChains);
  }

  /** True at every so many chains that this CPU sends to caches like `home`. */
  private countLanded(home: number): boolean {
    const at = this.areas.instanceOn(this.cpu.id, home) + LANDED;
    const landed = readPrivate(this.words, at) + 1;
    writePrivate(this.words, at, landed % this.gatherChains);
    return landed >= this.gatherChains;
  }

  /** At a turn or poll of any thread there is a look at what waits at `home`. `newest` is, or was, in front of it. */
  private raiseRound(home: number, newest: number): void {
    if (loadAcquire(this.words, home + ROUND_PENDING) !== 0) return;
    // pairs with the store in runRound: one of those who raise gives the callback
    if (cmpxchg(this.words, home + ROUND_PENDING, 0, newest) === 0)
      this.callbacks.call(KIND_ROUND, home + ROUND);
  }

  /**
   * The look: what waits at `home` goes on. But if that has changed since the last one, its refills have use for it:
   * the newest stay till the next one.
   */
  private runRound(home: number): void {
    const newest = loadAcquire(this.words, home + FREE_BY_RCU_TTRACE);
    const isInUse = newest !== loadAcquire(this.words, home + ROUND_PENDING);
    // before the list is taken: a chain that comes after is raised again
    storeRelease(this.words, home + ROUND_PENDING, 0);
    this.startRound(home, isInUse ? this.keepChains : 0);
    const left = loadAcquire(this.words, home + FREE_BY_RCU_TTRACE);
    if (left !== 0) this.raiseRound(home, left);
  }

  /** Frees the objects of a chain to slab, destroyed if need be. */
  release(first: number): void {
    const home = chainHome(this.words, first);
    const record = this.supply.destructorOf(home);
    const destroy = record === 0 ? undefined : this.destructors.get(record);
    // a thread that was not told the destructor leaves the chain to another one
    if (record !== 0 && destroy === undefined) this.callbacks.call(KIND_LAST, chainLink(first));
    else this.releaseAll(first, home, destroy);
  }

  private releaseAll(first: number, home: number, destroy: Destructor | undefined): void {
    let node = first;
    let freed = 0;
    try {
      while (node !== 0) {
        const object = node;
        node = chainNext(this.words, object);
        freed++;
        this.releaseOne(home, object, destroy);
      }
    } finally {
      this.supply.uncharge(home, freed);
      fetchAdd(this.words, this.areas.instanceOn(this.cpu.id, home) + TAKEN, -freed);
      // a destructor threw: the others are left to the next poll
      if (node !== 0) this.callbacks.call(KIND_LAST, this.sealed(node, home));
      // the last access to the home's words: an allocator that is going away waits for it
      else fetchAdd(this.words, home + CHAINS, -1);
    }
  }

  private releaseOne(home: number, node: number, destroy: Destructor | undefined): void {
    try {
      destroy?.(this.supply.payloadOf(home, node));
    } finally {
      this.supply.giveBack(home, node);
    }
  }

  private sealed(first: number, home: number): number {
    chainSeal(this.words, first, home);
    return chainLink(first);
  }
}
