/**
 * MemAlloc: the any-size allocator, with the fast paths of alloc and free written out. (The kernel's
 * bpf_mem_alloc and bpf_mem_free.)
 *
 * Both are straight-line code on words that only this CPU touches: the steps of cache.ts, in one
 * function each, small enough that V8 inlines them into a program's loop.
 */
import { readPrivate, type Words, writePrivate, zeroPrivate } from "#primitive";
import { type Directory, destroyedError, detachedError, inRange } from "../arena/index.ts";
import { MAGIC, ZERO_SIZE_PTR } from "../arena/layout.ts";
import { checkFlags, checkSize, GFP_KERNEL, GFP_ZERO } from "../mm/index.ts";
import type { Caches } from "./cache.ts";
import { checkWord, wrongFree } from "./header.ts";
import {
  BATCH,
  CHECK_SIGN,
  FREE_LIST,
  HAND,
  HAND_BUSY,
  HAND_IDLE,
  HAND_PUSH,
  HAND_RCU,
  HEADER_WORDS,
  HIGH,
  LOW,
  MAX_PAYLOAD,
  MAX_RESERVE,
  OBJECT_CHECK,
  OBJECT_HOME,
  RCU_BATCH,
  UNIT_WORDS,
} from "./layout.ts";
import type { Destroyed } from "./lifetimes.ts";
import type { Watermarks } from "./sizes.ts";

/** The address of "a cache" that is always busy: where its HAND would be lies the header's magic word. */
export const NO_CACHE = MAGIC - HAND;

/** What an opened allocator needs to know. */
export interface Opened {
  readonly name: string;
  readonly caches: Caches;
  readonly directory: Directory;
  readonly key: number;
  /** Of an object of so many bytes, header included. */
  readonly watermarks: (unitBytes: number) => Watermarks;
  readonly destroy: () => Promise<Destroyed>;
}

export class MemAlloc {
  readonly name: string;
  private readonly words: Words;
  /** (size + 7) >>> 3 -> this CPU's cache. All NO_CACHE once detached. */
  private readonly table: Int32Array;
  private readonly area: number;
  private readonly areaMask: number;
  private readonly caches: Caches;
  private readonly directory: Directory;
  private key: number;
  private isDestroyed = false;
  private readonly opened: Opened;

  constructor(opened: Opened, table: Int32Array, areaWords: number) {
    this.name = opened.name;
    this.words = opened.caches.words;
    this.table = table;
    this.table[0] = NO_CACHE;
    this.area = opened.caches.cpu.area;
    this.areaMask = -areaWords;
    this.caches = opened.caches;
    this.directory = opened.directory;
    this.key = opened.key;
    this.opened = opened;
  }

  /**
   * An object of at least `size` bytes: its offset in the heap, a multiple of 8.
   *
   * 0 (NULL) means in task context that the heap is out of memory, or that `size` is above 4088; in
   * a nested or declared context also that this CPU's stock is used up. alloc(0) is ZERO_SIZE_PTR.
   * The contents are zeros when the object is new and what it last held when it was used before.
   *
   * Any context; never waits. Errors: `bad-size`, `detached`.
   */
  alloc(size: number): number {
    if (typeof size !== "number" || size >>> 0 !== size || size > MAX_PAYLOAD) return this.refuse(size);
    const words = this.words;
    const cache = this.table[(size + 7) >>> 3];
    if (readPrivate(words, cache + HAND) !== HAND_IDLE) return this.allocBusy(size);
    writePrivate(words, cache + HAND, HAND_BUSY);
    const node = readPrivate(words, cache + FREE_LIST);
    if (readPrivate(words, node + OBJECT_CHECK) <= readPrivate(words, cache + LOW))
      return this.caches.allocLow(cache) >>> 0;
    writePrivate(words, cache + HAND, node);
    writePrivate(words, cache + FREE_LIST, readPrivate(words, node + OBJECT_HOME));
    const p = ((node + HEADER_WORDS) << 2) >>> 0;
    writePrivate(words, node + OBJECT_HOME, cache);
    writePrivate(words, node + OBJECT_CHECK, (p ^ cache ^ this.key) | CHECK_SIGN);
    writePrivate(words, cache + HAND, HAND_IDLE);
    return p;
  }

  /**
   * Frees an object of this allocator, on whichever thread it was allocated. 0 and ZERO_SIZE_PTR are
   * ignored. The object may be handed out again at once, to anyone who uses this allocator.
   *
   * Any context; never waits, never fails. Errors, with nothing changed: `bad-pointer`,
   * `double-free`, `wrong-cache`, `detached`. Not seen: two threads freeing one object at the same
   * moment, and a free after the object was handed out again.
   */
  free(p: number): void {
    // an access outside the heap would make V8 compile all later ones of this function for that case
    if (p === 0) return;
    if (typeof p !== "number") {
      this.refuseFree(p);
      return;
    }
    const words = this.words;
    const node = (p >>> 2) - HEADER_WORDS;
    const home = readPrivate(words, node + OBJECT_HOME);
    if (p >>> 0 !== p || readPrivate(words, node + OBJECT_CHECK) !== ((p ^ home ^ this.key) | CHECK_SIGN)) {
      this.refuseFree(p);
      return;
    }
    let cache = home;
    if ((home & this.areaMask) !== this.area) cache = this.area | (home & ~this.areaMask);
    if (readPrivate(words, cache + HAND) !== HAND_IDLE) {
      this.caches.freeBusy(cache, node);
      return;
    }
    writePrivate(words, cache + HAND, node + HAND_PUSH);
    const head = readPrivate(words, cache + FREE_LIST);
    const depth = readPrivate(words, head + OBJECT_CHECK);
    if (depth >= readPrivate(words, cache + HIGH)) {
      this.caches.freeHigh(cache, node, home);
      return;
    }
    writePrivate(words, node + OBJECT_HOME, head);
    writePrivate(words, node + OBJECT_CHECK, depth + 1);
    writePrivate(words, cache + FREE_LIST, node);
    writePrivate(words, cache + HAND, HAND_IDLE);
  }

  /**
   * Frees an object when no reader can see it any more: nobody reuses it before an RCU grace period. For
   * objects that have been unlinked from where readers find them, by rcuAssignPointer or another atomic store.
   * Otherwise as `free`.
   */
  freeRcu(p: number): void {
    if (p === 0) return;
    if (typeof p !== "number") {
      this.refuseFree(p);
      return;
    }
    const words = this.words;
    const node = (p >>> 2) - HEADER_WORDS;
    const home = readPrivate(words, node + OBJECT_HOME);
    if (p >>> 0 !== p || readPrivate(words, node + OBJECT_CHECK) !== ((p ^ home ^ this.key) | CHECK_SIGN)) {
      this.refuseFree(p);
      return;
    }
    let cache = home;
    if ((home & this.areaMask) !== this.area) cache = this.area | (home & ~this.areaMask);
    if (readPrivate(words, cache + HAND) !== HAND_IDLE) {
      this.caches.freeRcuBusy(cache, node);
      return;
    }
    writePrivate(words, cache + HAND, node + HAND_RCU);
    const head = readPrivate(words, cache + RCU_BATCH);
    const depth = readPrivate(words, head + OBJECT_CHECK) + 1;
    if (head === 0 || depth >= readPrivate(words, cache + BATCH)) {
      this.caches.freeRcuEdge(cache, node, home);
      return;
    }
    writePrivate(words, node + OBJECT_HOME, head);
    writePrivate(words, node + OBJECT_CHECK, depth);
    writePrivate(words, cache + RCU_BATCH, node);
    writePrivate(words, cache + HAND, HAND_IDLE);
  }

  /**
   * As `alloc`; with GFP_KERNEL an object comes straight from slab when this CPU's stock is used up, in nested
   * and declared contexts too; with GFP_ZERO its contents are zeros. Errors: as `alloc`, `bad-option` (flags).
   */
  allocFlags(size: number, flags: number): number {
    checkFlags(flags, GFP_KERNEL | GFP_ZERO, "GFP_KERNEL, GFP_ZERO");
    let p = this.alloc(size);
    if (p === 0 && (flags & GFP_KERNEL) !== 0 && size <= MAX_PAYLOAD) p = this.allocFromSlab(size);
    if (p > ZERO_SIZE_PTR && (flags & GFP_ZERO) !== 0) zeroPrivate(this.words, p >>> 2, (size + 3) >>> 2);
    return p;
  }

  /**
   * Fills this CPU's stock of the bucket that serves `size` up to `objects`, 0 to 65,535, and lets it keep as many from
   * here on: so many allocs, of all sizes of that bucket, get an object without a refill. Call it before a real-time
   * stretch. 0 goes back to the usual stock. Returns how many there are now: fewer if the heap is out of memory, or the group is full.
   * Task context. Errors: `bad-size`, `bad-option`, `bad-context`, `destroyed`, `detached`.
   */
  reserve(size: number, objects: number): number {
    checkSize(size);
    inRange("objects", objects, 0, MAX_RESERVE);
    if (this.key === 0) this.refuseClosed();
    if (size === 0 || size > MAX_PAYLOAD) return 0;
    const cache = this.table[(size + 7) >>> 3];
    const unitBytes = readPrivate(this.words, cache + UNIT_WORDS) * 4;
    return this.caches.reserve(cache, objects, this.opened.watermarks(unitBytes));
  }

  /**
   * Frees an object straight to slab. For objects that no reader of either kind can see: the caller has waited
   * for a tasks-trace grace period, or never published it. Any context. Errors: as `free`.
   */
  rawFree(p: number): void {
    if (p === 0 || p === ZERO_SIZE_PTR) return;
    const node = typeof p === "number" ? (p >>> 2) - HEADER_WORDS : 0;
    const home = readPrivate(this.words, node + OBJECT_HOME);
    const check = readPrivate(this.words, node + OBJECT_CHECK);
    if (node === 0 || p >>> 0 !== p || check !== checkWord(p, home, this.key)) this.refuseFree(p);
    else this.caches.freeToSlab(this.cacheOf(home), node);
  }

  /**
   * Ends the allocator, for all threads, and returns at once. Each thread gives up what it keeps when it next
   * polls or its event loop turns; until then its calls work, after that they throw `destroyed`. The memory goes
   * back after grace periods. The promise resolves when all is done, and names the objects that were never
   * freed. Task context. Errors: `destroyed`, `bad-context`, `detached`.
   */
  destroy(): Promise<Destroyed> {
    if (this.key === 0) this.refuseClosed();
    return this.opened.destroy();
  }

  /** Ends the use of this object, if it is of the allocator with that key: the thread detaches, or the allocator is gone. */
  close(key: number, isDestroyed: boolean): void {
    if (key !== this.key) return;
    this.table.fill(NO_CACHE);
    this.key = 0;
    this.isDestroyed = isDestroyed;
  }

  /** The rest of allocFlags. A method of its own, so that it can be traced; and alloc's handler may have detached. */
  protected allocFromSlab(size: number): number {
    if (this.key === 0) this.refuseClosed();
    return this.caches.allocFromSlab(this.table[(size + 7) >>> 3]) >>> 0;
  }

  /** This CPU's cache of the bucket that `home` is of. */
  private cacheOf(home: number): number {
    return this.area | (home & ~this.areaMask);
  }

  private refuse(size: number): number {
    checkSize(size);
    return this.key === 0 ? this.refuseClosed() : 0;
  }

  /** A call further down the stack is using the cache; or there is none: size 0, or detached. */
  private allocBusy(size: number): number {
    if (this.key === 0) return this.refuseClosed();
    return size === 0 ? ZERO_SIZE_PTR : 0;
  }

  private refuseFree(p: unknown): void {
    if (p === ZERO_SIZE_PTR) return;
    if (this.key === 0) this.refuseClosed();
    throw wrongFree(this.caches.pages, this.directory, this.name, p);
  }

  /** False once the thread detached or gave the allocator up. */
  get isOpen(): boolean {
    return this.key !== 0;
  }

  protected refuseClosed(): never {
    throw this.isDestroyed ? destroyedError(this.name) : detachedError(this.name);
  }
}
