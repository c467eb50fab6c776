/**
 * OwnedCache: a fixed-size allocator whose objects name who allocated them, so that what a thread leaves behind can be
 * taken back. It is a MemCache whose payloads begin with two words of ours: see owner.ts.
 *
 *                    alloc, free    reclaim    leaks
 *     other CPUs     yes            yes        yes
 *     nested in it   yes            yes        yes
 *
 * Progress: as MemCache, and an atomic load and two stores an alloc, two loads and a CAS a free. reclaim: lock-free; a walk
 * over all pages.
 */
import { cmpxchg, loadAcquire, readPrivate, storeRelease, type Words } from "#primitive";
import { type Directory, destroyedError, detachedError, inRange, SharedHeapError } from "../arena/index.ts";
import { ZERO_SIZE_PTR } from "../arena/layout.ts";
import type { Cpus } from "../cpu/index.ts";
import { GENERATION_MASK } from "../cpu/layout.ts";
import { checkFlags, GFP_KERNEL, GFP_ZERO, isOffset } from "../mm/index.ts";
import type { Caches } from "./cache.ts";
import { tagOf, wrongFree } from "./header.ts";
import { OWNED_BYTES, OWNED_WORDS, SLAB_CACHE } from "./layout.ts";
import type { Destroyed } from "./lifetimes.ts";
import type { Opened } from "./mem-alloc.ts";
import type { MemCache } from "./mem-cache.ts";
import { forEachOwned, isAmongOwned } from "./owner.ts";

/** Where OWNER and TAG are, from the payload's first word. */
const TO_OWNER = -OWNED_WORDS;
const TO_TAG = 1 - OWNED_WORDS;

export class OwnedCache {
  readonly name: string;
  /** Bytes of an object's payload. */
  readonly size: number;
  readonly percpu = false;
  private readonly words: Words;
  private readonly inner: MemCache;
  private readonly caches: Caches;
  private readonly cpus: Cpus;
  private readonly directory: Directory;
  private readonly cache: number;
  /** Names this thread as the owner of what it allocates. */
  private readonly claim: number;
  private key: number;
  private isDestroyed = false;

  /** `inner`: the MemCache, its payloads larger by OWNED_BYTES; `cache`: this CPU's. */
  constructor(inner: MemCache, opened: Opened, cache: number, size: number) {
    this.name = inner.name;
    this.size = size;
    this.inner = inner;
    this.words = opened.caches.words;
    this.caches = opened.caches;
    this.cpus = opened.caches.cpu.cpus;
    this.directory = opened.directory;
    this.cache = cache;
    this.claim = opened.caches.cpu.claim;
    this.key = opened.key;
  }

  /** As MemCache.alloc. The object is this thread's: see `reclaim`. Any context; never waits. Errors: `detached`, `destroyed`. */
  alloc(): number {
    return this.own(this.inner.alloc());
  }

  /**
   * As MemCache.free: on any thread, whoever owns the object. Of several frees of one object, at whatever moment, one
   * frees it, and the others throw `double-free`; unless it was handed out again before. Any context; never waits.
   */
  free(p: number): void {
    if (p !== 0 && this.disown(p)) this.inner.free(p - OWNED_BYTES);
  }

  /** As MemCache.freeRcu: nobody reuses the object before an RCU grace period. Otherwise as `free`. */
  freeRcu(p: number): void {
    if (p !== 0 && this.disown(p)) this.inner.freeRcu(p - OWNED_BYTES);
  }

  /** As MemCache.rawFree: straight to slab. Otherwise as `free`. */
  rawFree(p: number): void {
    if (p !== 0 && this.disown(p)) this.inner.rawFree(p - OWNED_BYTES);
  }

  /** As MemCache.allocFlags. Errors: as `alloc`, `bad-option` (flags). */
  allocFlags(flags: number): number {
    checkFlags(flags, GFP_KERNEL | GFP_ZERO, "GFP_KERNEL, GFP_ZERO");
    let p = this.alloc();
    if (p === 0 && (flags & GFP_KERNEL) !== 0) p = this.allocFromSlab();
    // not by the inner cache, which would zero OWNER with it
    if (p !== 0 && (flags & GFP_ZERO) !== 0) this.caches.zero(this.cache, p, this.size);
    return p;
  }

  /** As MemCache.reserve. */
  reserve(objects: number): number {
    return this.inner.reserve(objects);
  }

  /** As MemCache.destroy. What was out, whoever owned it, is `leaked`: it cannot be reclaimed any more. */
  destroy(): Promise<Destroyed> {
    return this.inner.destroy();
  }

  /**
   * Frees, as freeRcu does, all objects of this allocator that a thread allocated and nobody has freed: the thread that had
   * CPU number `cpu` in its `generation` (see `heap.stats().cpus` and `heap.leaks()`), and that has detached or is dead. Returns how
   * many. Objects that it had handed to others go too, so those must not use, or free, them any more: who does
   * may go on until this is called, and decides when it is. Each object is freed once, whoever else frees it, or reclaims,
   * at the same time. Looks at all pages. Any thread, any context. Errors: `bad-option` (also: that thread is there),
   * `destroyed`, `detached`.
   */
  reclaim(cpu: number, generation: number): number {
    if (this.key === 0) this.refuseClosed();
    inRange("cpu", cpu, 0, this.cpus.maxCpus - 1);
    inRange("generation", generation, 0, GENERATION_MASK);
    this.checkGone(cpu, generation);
    const claim = this.cpus.claimOf(cpu, generation);
    const slabCache = readPrivate(this.words, this.cache + SLAB_CACHE);
    let count = 0;
    forEachOwned(this.caches.pages, this.caches.rcu, slabCache, this.key, (p, owner) => {
      if (owner === claim && this.reclaimOne(p, claim)) count++;
    });
    return count;
  }

  /** Ends the use of this object: see MemCache.close. */
  close(key: number, isDestroyed: boolean): void {
    this.inner.close(key, isDestroyed);
    if (key !== this.key) return;
    this.key = 0;
    this.isDestroyed = isDestroyed;
  }

  /** False once the thread detached or gave the allocator up. */
  get isOpen(): boolean {
    return this.key !== 0;
  }

  /** Makes this thread the owner of an object that it has in hand. Returns its payload's offset. 0 stays 0. */
  private own(inner: number): number {
    if (inner === 0) return 0;
    const p = inner + OWNED_BYTES;
    const at = p >>> 2;
    const tag = tagOf(p, this.key);
    // while OWNER is 0: a thread that dies after the next store has left a TAG that is right. An object that was this
    // allocator's before has it, and a load is cheaper
    if (loadAcquire(this.words, at + TO_TAG) !== tag) storeRelease(this.words, at + TO_TAG, tag);
    // pairs with the loads of frees and scans: publishes TAG and the header
    storeRelease(this.words, at + TO_OWNER, this.claim);
    return p;
  }

  /** Takes an object that is to be freed into this thread's hands. False: there is nothing to free. */
  private disown(p: number): boolean {
    if (this.key !== 0 && isOffset(this.caches.pages, p) && this.isAmongOwned(p)) {
      const at = p >>> 2;
      // pairs with own, which may be in the middle of another life of the object: then the CAS fails
      const owner = loadAcquire(this.words, at + TO_OWNER);
      const isOurs = owner !== 0 && loadAcquire(this.words, at + TO_TAG) === tagOf(p, this.key);
      // pairs with itself and reclaimOne, on any CPU: who wins has the object
      if (isOurs && cmpxchg(this.words, at + TO_OWNER, owner, 0) === owner) return true;
      if (isOurs) this.refuseLate(p);
    }
    return this.refuseFree(p);
  }

  /** False if somebody else has freed it. A method of its own, whose frees can be traced. */
  private reclaimOne(p: number, claim: number): boolean {
    // the thread is gone: its claim, once there, goes and does not come back, so TAG is what it was when it was looked at.
    // Pairs with own, whose thread is gone: all that it did to the object came before; and with disown
    if (this.key === 0 || cmpxchg(this.words, (p >>> 2) + TO_OWNER, claim, 0) !== claim) return false;
    this.freeReclaimed(p);
    return true;
  }

  /** A reader may have found it before its thread went. */
  private freeReclaimed(p: number): void {
    this.inner.freeRcu(p - OWNED_BYTES);
  }

  private isAmongOwned(p: number): boolean {
    return isAmongOwned(this.caches.pages, readPrivate(this.words, this.cache + SLAB_CACHE), p);
  }

  private checkGone(cpu: number, generation: number): void {
    // generations come round
    const isYetToCome =
      ((this.cpus.generationOf(cpu) - generation) & GENERATION_MASK) > GENERATION_MASK >>> 1;
    if (!isYetToCome && !this.cpus.isOnline(cpu, generation)) return;
    throw new SharedHeapError(
      "bad-option",
      `"${this.name}": reclaim(${cpu}, ${generation}): that thread ${isYetToCome ? "has yet to attach" : "has its CPU"}; ` +
        "once it has surely ended, reap it",
    );
  }

  /** The rest of allocFlags. A method of its own, so that it can be traced. */
  private allocFromSlab(): number {
    if (this.key === 0) this.refuseClosed();
    return this.own(this.caches.allocFromSlab(this.cache) >>> 0);
  }

  private refuseLate(p: number): never {
    throw new SharedHeapError(
      "double-free",
      `"${this.name}": free(${p}): the object is being freed, or reclaimed, by another thread`,
    );
  }

  private refuseFree(p: unknown): false {
    if (p === ZERO_SIZE_PTR) return false;
    if (this.key === 0) this.refuseClosed();
    throw wrongFree(this.caches.pages, this.directory, this.name, p);
  }

  private refuseClosed(): never {
    throw this.isDestroyed ? destroyedError(this.name) : detachedError(this.name);
  }
}
