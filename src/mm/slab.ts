/**
 * The slab allocator (after SLUB): objects of one size, cut from blocks of pages.
 *
 * alloc looks in turn at: this CPU's private free list (plain accesses); the shared free list of its
 * current slab, taken whole by one CAS; a slab from the cache's lists; new pages. free pushes onto
 * the private list if the object lies in this CPU's current slab, else onto the slab's shared list
 * by one CAS; a free that makes a full slab partial lists it.
 *
 *                   alloc           free
 *     alloc         any CPU         any CPU
 *     free          any CPU         any CPU
 *     nested in     NULL if nested  yes: uses the shared list
 *     the same      in an alloc
 *     CPU's call    of this cache
 *
 * A free object's link is the address of the next one, or 0, in both lists alike.
 *
 * Progress: free is lock-free (its CAS fails only if another CPU's step on the same slab succeeded).
 * alloc: the same; at most one new slab a call.
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
import { SharedHeapError } from "../arena/index.ts";
import { PAGE_BYTES } from "../arena/layout.ts";
import { type Cpu, CRITICAL_SHIFT, enterContext, leaveContext, type Probe } from "../cpu/index.ts";
import { isLocked, localTryLock, localUnlock } from "../sync/index.ts";
import { type AfterReaders, CacheLists } from "./cache-lists.ts";
import {
  CACHE_LINK,
  CACHE_OBJECTS,
  CACHE_PAGES,
  CACHE_PERCPU,
  CACHE_SLABS,
  CACHE_UNIT_WORDS,
  DESC_CACHE,
  DESC_STATE,
  HEADER_CHECK,
  SLAB_CPU_FREE_LIST,
  SLAB_CPU_LOCK,
  SLAB_CPU_PAGE,
  SLAB_CPU_REFILLS,
  STATE_FROZEN,
  SWEEP_SLABS,
  TAKER_TRIES,
  USE_SLAB,
  USE_SLAB_TAIL,
} from "./layout.ts";
import type { Pages } from "./pages.ts";
import { zeroSlots } from "./percpu-slots.ts";
import { hasHeaders, slotsOf } from "./slab-lookup.ts";
import { settleSlabCpu } from "./slab-settle.ts";
import { firstOf, inUseOf, isFrozen, stateOf } from "./slab-state.ts";

const DOUBLE_KFREE =
  "a slab's free list runs in a circle: an object was freed twice by kfree, or written to after";

const FREE_OF_NONE = "free of an object of a slab that has none in use: it has been freed already";

/** Prepares a new object, whose first word is `object`. Runs when its slab is made. */
export type SlabConstructor = (object: number) => void;

export class Slab {
  readonly words: Words;
  readonly pages: Pages;
  readonly lists: CacheLists;
  private readonly cpu: Cpu;

  /** `takerTries`: how often a taker word is tried before the work is done without. */
  constructor(pages: Pages, cpu: Cpu, afterReaders: AfterReaders, takerTries: number = TAKER_TRIES) {
    this.words = pages.words;
    this.pages = pages;
    this.cpu = cpu;
    this.lists = new CacheLists(pages, cpu, takerTries, afterReaders);
  }

  /**
   * An object of the cache (its first word's address), or 0: out of memory, or nested in an alloc of
   * the same cache on this CPU. `construct` is for caches that have one. Any context.
   */
  alloc(cache: number, construct?: SlabConstructor): number {
    if (this.cpu.faults.fails("slab")) return 0;
    return this.allocNolock(cache, construct);
  }

  /** As alloc, without fault injection: for callers that must not be failed on purpose. Any context. */
  allocNolock(cache: number, construct?: SlabConstructor): number {
    const local = this.localOf(cache);
    if (!localTryLock(this.words, local + SLAB_CPU_LOCK)) return 0;
    const object = readPrivate(this.words, local + SLAB_CPU_FREE_LIST);
    if (object === 0) return this.allocSlow(cache, local, construct);
    this.pop(cache, local, object);
    localUnlock(this.words, local + SLAB_CPU_LOCK);
    if (this.cpu.tracepoints.slabAlloc !== undefined) this.cpu.irqWork.kick();
    return object;
  }

  /** Zeroes the first `count` words of an object that this CPU owns, on all CPUs if it is a per-CPU one. */
  zero(cache: number, object: number, count: number): void {
    zeroSlots(this.words, object, count, slotsOf(this.words, cache));
  }

  /** True if a call further down the stack is in the middle of an alloc or free of the cache. */
  isBusy(cache: number): boolean {
    return isLocked(this.words, this.localOf(cache) + SLAB_CPU_LOCK);
  }

  /**
   * Frees an object that lies in the slab that begins at `page`. Never fails, where that is right. Errors: `double-free`,
   * where the slab shows it: none of its objects is in use. Any context.
   */
  free(cache: number, page: number, object: number): void {
    this.trace(this.cpu.tracepoints.slabFree, cache, object);
    const local = this.localOf(cache);
    const mine = readPrivate(this.words, local + SLAB_CPU_PAGE) === page;
    if (mine && localTryLock(this.words, local + SLAB_CPU_LOCK)) {
      this.pushPrivate(cache, local, page, object);
      localUnlock(this.words, local + SLAB_CPU_LOCK);
    } else {
      this.pushShared(cache, page, object, object, 1);
    }
    const { slabFree, slabDiscard } = this.cpu.tracepoints;
    if (slabFree !== undefined || slabDiscard !== undefined) this.cpu.irqWork.kick();
  }

  /** Gives up this CPU's current slab of the cache. Task context, no call under way. */
  flush(cache: number): void {
    const local = this.localOf(cache);
    // most have none: nothing to lock
    if (readPrivate(this.words, local + SLAB_CPU_PAGE) === 0) return;
    if (!localTryLock(this.words, local + SLAB_CPU_LOCK)) return;
    // read under the lock: a call that ran nested before may have changed it
    const page = readPrivate(this.words, local + SLAB_CPU_PAGE);
    try {
      if (page === 0) return;
      this.flushPrivate(cache, local, page);
      // before others may get it: so a CPU that dies has no slab that is somebody else's
      writePrivate(this.words, local + SLAB_CPU_PAGE, 0);
      this.letGo(cache, page);
    } finally {
      localUnlock(this.words, local + SLAB_CPU_LOCK);
    }
  }

  /** Lets a frozen slab go that the caller has, and nobody else: listed if it has free objects, given back if it is empty. */
  letGo(cache: number, page: number): void {
    if (!this.thaw(cache, page)) this.putOrDiscard(cache, page);
  }

  /** This CPU's thread died, and another one acts as it: what was under way is over. */
  settle(cache: number): void {
    settleSlabCpu(this.pages, cache, this.localOf(cache));
  }

  /** The lock is held, the private list empty. */
  private allocSlow(cache: number, local: number, construct: SlabConstructor | undefined): number {
    let object = 0;
    try {
      object = this.popRefilled(cache, local, construct);
    } finally {
      localUnlock(this.words, local + SLAB_CPU_LOCK);
    }
    this.cpu.irqWork.kick();
    return object;
  }

  /** As a critical section: errors of the constructor, and of too deep a nesting, leave it too. */
  private popRefilled(cache: number, local: number, construct: SlabConstructor | undefined): number {
    enterContext(this.words, this.cpu.area, CRITICAL_SHIFT);
    try {
      const object = this.refill(cache, local, construct);
      if (object !== 0) this.pop(cache, local, object);
      return object;
    } finally {
      leaveContext(this.words, this.cpu.area, CRITICAL_SHIFT);
    }
  }

  /** Takes `object`, the first of the private list, off it. The lock is held. */
  private pop(cache: number, local: number, object: number): void {
    const link = readPrivate(this.words, cache + CACHE_LINK);
    writePrivate(this.words, local + SLAB_CPU_FREE_LIST, readPrivate(this.words, object + link));
    this.trace(this.cpu.tracepoints.slabAlloc, cache, object);
  }

  private trace(probe: Probe | undefined, cache: number, object: number): void {
    if (probe === undefined) return;
    const unitBytes = readPrivate(this.words, cache + CACHE_UNIT_WORDS) << 2;
    this.cpu.tracepoints.fire(probe, (object << 2) >>> 0, unitBytes);
  }

  private localOf(cache: number): number {
    return this.cpu.area + readPrivate(this.words, cache + CACHE_PERCPU);
  }

  /** The lock is held; between the check of `free` and here a nested call may have changed the slab. */
  private pushPrivate(cache: number, local: number, page: number, object: number): void {
    if (readPrivate(this.words, local + SLAB_CPU_PAGE) !== page) {
      this.pushShared(cache, page, object, object, 1);
      return;
    }
    const link = readPrivate(this.words, cache + CACHE_LINK);
    writePrivate(this.words, object + link, readPrivate(this.words, local + SLAB_CPU_FREE_LIST));
    writePrivate(this.words, local + SLAB_CPU_FREE_LIST, object);
  }

  /** Pushes `count` linked objects, `first` to `last`, onto their slab's shared list. */
  private pushShared(cache: number, page: number, first: number, last: number, count: number): void {
    const at = this.pages.descriptor(page) + DESC_STATE;
    const link = readPrivate(this.words, cache + CACHE_LINK);
    const index = this.indexOf(cache, page, first) + 1;
    for (;;) {
      const state = loadAcquire(this.words, at);
      const inUse = inUseOf(state) - count;
      // before anything is written: with fewer than none the state would lead out of the slab
      if (inUse < 0) throw new SharedHeapError("double-free", FREE_OF_NONE);
      writePrivate(this.words, last + link, this.objectAt(cache, page, firstOf(state)));
      // pairs with takeShared: publishes the objects' links, and that their users are done with them
      if (cmpxchg(this.words, at, state, stateOf(index, inUse, STATE_FROZEN)) !== state) continue;
      if (!isFrozen(state)) this.lists.put(cache, page);
      if (inUse === 0) this.lists.sweep(cache, SWEEP_SLABS, true);
      return;
    }
  }

  /** Finds free objects for the private list. Returns the first, which is on it, or 0. The lock is held. */
  private refill(cache: number, local: number, construct: SlabConstructor | undefined): number {
    let first = this.refillFromCurrent(cache, local);
    if (first === 0) {
      const page = this.lists.take(cache) || this.newSlab(cache, construct) || this.lists.steal(cache);
      if (page !== 0) first = this.adopt(cache, local, page);
    }
    storeRelease(this.words, local + SLAB_CPU_REFILLS, readPrivate(this.words, local + SLAB_CPU_REFILLS) + 1);
    return first;
  }

  /** Takes the current slab's shared list; a slab that has none is full, and let go. */
  private refillFromCurrent(cache: number, local: number): number {
    const page = readPrivate(this.words, local + SLAB_CPU_PAGE);
    if (page === 0) return 0;
    // before others may get it, as in flush
    writePrivate(this.words, local + SLAB_CPU_PAGE, 0);
    return this.thaw(cache, page) ? 0 : this.adopt(cache, local, page);
  }

  /** Makes the slab this CPU's current one and takes its shared list, which is not empty. */
  private adopt(cache: number, local: number, page: number): number {
    writePrivate(this.words, local + SLAB_CPU_PAGE, page);
    return this.takeShared(cache, local, page);
  }

  /**
   * Takes the whole shared list of this CPU's current slab, as its private one. Its objects then count as in use. The list
   * is named before it is taken: should the CPU die in between, see settle.
   */
  private takeShared(cache: number, local: number, page: number): number {
    const at = this.pages.descriptor(page) + DESC_STATE;
    const taken = stateOf(0, readPrivate(this.words, cache + CACHE_OBJECTS), STATE_FROZEN);
    for (;;) {
      const state = loadAcquire(this.words, at);
      const first = this.objectAt(cache, page, firstOf(state));
      writePrivate(this.words, local + SLAB_CPU_FREE_LIST, first);
      // pairs with pushShared: makes the links readable and the objects ours
      if (cmpxchg(this.words, at, state, taken) === state) return first;
    }
  }

  /** Lets a full slab that this CPU has go, to nobody. Returns false if it has free objects. */
  private thaw(cache: number, page: number): boolean {
    const at = this.pages.descriptor(page) + DESC_STATE;
    const objects = readPrivate(this.words, cache + CACHE_OBJECTS);
    const full = stateOf(0, objects, STATE_FROZEN);
    // pairs with pushShared: the free that finds the slab thawed lists it
    return cmpxchg(this.words, at, full, stateOf(0, objects, 0)) === full;
  }

  private flushPrivate(cache: number, local: number, page: number): void {
    const first = readPrivate(this.words, local + SLAB_CPU_FREE_LIST);
    if (first === 0) return;
    const link = readPrivate(this.words, cache + CACHE_LINK);
    const objects = readPrivate(this.words, cache + CACHE_OBJECTS);
    let last = first;
    let count = 1;
    for (
      let next = readPrivate(this.words, last + link);
      next !== 0;
      next = readPrivate(this.words, last + link)
    ) {
      last = next;
      if (++count > objects) throw new SharedHeapError("corrupt", DOUBLE_KFREE);
    }
    this.pushShared(cache, page, first, last, count);
    // after that: objects on both lists are found to be, see settle; objects on neither would be lost
    writePrivate(this.words, local + SLAB_CPU_FREE_LIST, 0);
  }

  /** The slab is this CPU's, off all lists, and not full. */
  private putOrDiscard(cache: number, page: number): void {
    const state = loadAcquire(this.words, this.pages.descriptor(page) + DESC_STATE);
    if (inUseOf(state) === 0) this.lists.discard(cache, page);
    else this.lists.put(cache, page);
  }

  /** A slab of new pages, all free, frozen. Returns its page, or 0. */
  private newSlab(cache: number, construct: SlabConstructor | undefined): number {
    const count = readPrivate(this.words, cache + CACHE_PAGES);
    const page = this.pages.alloc(count);
    if (page === 0) return 0;
    this.linkObjects(cache, page, count, construct);
    const descriptor = this.pages.descriptor(page);
    // pairs with the load in walkSlabs: whose objects are looked at, they are constructed
    storeRelease(this.words, descriptor + DESC_CACHE, cache);
    storeRelease(this.words, descriptor + DESC_STATE, stateOf(1, 0, STATE_FROZEN));
    for (let i = 1; i < count; i++) this.pages.setUse(page + i, USE_SLAB_TAIL, i);
    this.pages.setUse(page, USE_SLAB, count);
    fetchAdd(this.words, cache + CACHE_SLABS, 1);
    this.cpu.tracepoints.fire(this.cpu.tracepoints.slabNew, page * PAGE_BYTES, count * PAGE_BYTES);
    return page;
  }

  /** Links the objects and constructs them. A constructor that throws leaves no slab behind. */
  private linkObjects(
    cache: number,
    page: number,
    pages: number,
    construct: SlabConstructor | undefined,
  ): void {
    const unit = readPrivate(this.words, cache + CACHE_UNIT_WORDS);
    const link = readPrivate(this.words, cache + CACHE_LINK);
    const isHeaded = hasHeaders(this.words, cache);
    let object = this.pages.address(page);
    try {
      for (let left = readPrivate(this.words, cache + CACHE_OBJECTS); left > 0; left--) {
        writePrivate(this.words, object + link, left > 1 ? object + unit : 0);
        // what the pages held before must not look like the header of an object that is out
        if (isHeaded) writePrivate(this.words, object + HEADER_CHECK, 0);
        if (construct !== undefined) construct(object);
        object += unit;
      }
    } catch (error) {
      this.pages.free(page, pages);
      throw error;
    }
  }

  private indexOf(cache: number, page: number, object: number): number {
    return ((object - this.pages.address(page)) / readPrivate(this.words, cache + CACHE_UNIT_WORDS)) | 0;
  }

  /** The object whose index is `first` - 1, or 0. */
  private objectAt(cache: number, page: number, first: number): number {
    if (first === 0) return 0;
    return this.pages.address(page) + (first - 1) * readPrivate(this.words, cache + CACHE_UNIT_WORDS);
  }
}
