/**
 * A slab cache's shared lists of slabs that have free objects. PARTIAL is an llist that any CPU
 * pushes to; SWEEP is what was once taken from it, whole. Single slabs are taken from SWEEP only,
 * by the holder of the TAKER word (R1). So the two make a queue of bounded steps: every slab that
 * goes through PARTIAL comes by in SWEEP, and an empty one is given back to the page allocator then.
 *
 * There are no partial lists per CPU: a free in any context, at any depth, can list a slab with
 * one push, and has nothing private to be in the middle of.
 *
 * Progress: put is lock-free. take and sweep try TAKER a bounded number of times; who does not get it
 * goes on without: a new slab for `take`, nothing for `sweep`.
 */
import { fetchAdd, loadAcquire, readPrivate, type Words, writePrivate } from "#primitive";
import { PAGE_BYTES } from "../arena/layout.ts";
import { type Cpu, NOT_CLAIMED } from "../cpu/index.ts";
import { llistAdd, llistDelAll, llistEmpty, releaseTaker } from "../sync/index.ts";
import {
  CACHE_FLAGS,
  CACHE_PAGES,
  CACHE_PARTIAL,
  CACHE_SLABS,
  CACHE_SWEEP,
  CACHE_TAKER,
  DESC_CACHE,
  DESC_NEXT,
  DESC_STATE,
  FLAG_TYPESAFE_BY_RCU,
  USE_NONE,
} from "./layout.ts";
import type { Pages } from "./pages.ts";
import { inUseOf } from "./slab-state.ts";

/** Has `readersLeft` called with a slab's link word once no reader can see its objects any more. */
export type AfterReaders = (link: number) => void;

export class CacheLists {
  private readonly words: Words;
  private readonly pages: Pages;
  private readonly cpu: Cpu;
  private readonly takerTries: number;
  private readonly afterReaders: AfterReaders;

  constructor(pages: Pages, cpu: Cpu, takerTries: number, afterReaders: AfterReaders) {
    this.words = pages.words;
    this.pages = pages;
    this.cpu = cpu;
    this.takerTries = takerTries;
    this.afterReaders = afterReaders;
  }

  /** Lists a frozen slab that has free objects and is nobody's current one. Any context. */
  put(cache: number, page: number): void {
    llistAdd(this.words, cache + CACHE_PARTIAL, this.pages.descriptor(page) + DESC_NEXT);
  }

  /** Takes a slab off the lists: frozen, with free objects. Returns its page, or 0. */
  take(cache: number): number {
    if (!this.claimLists(cache)) return 0;
    const page = this.next(cache);
    this.releaseLists(cache);
    return page;
  }

  /**
   * Takes a slab when the page allocator had none, without TAKER, which may be in the hands of a CPU that
   * is not running: PARTIAL whole, and all but one back.
   */
  steal(cache: number): number {
    const link = llistDelAll(this.words, cache + CACHE_PARTIAL);
    if (link === 0) return 0;
    for (let rest = readPrivate(this.words, link); rest !== 0; ) {
      const next = readPrivate(this.words, rest);
      llistAdd(this.words, cache + CACHE_PARTIAL, rest);
      rest = next;
    }
    return this.pages.pageOf(link - DESC_NEXT);
  }

  /**
   * Looks at up to `limit` slabs, each once or twice, and gives the empty ones back; with `keepOne` all but the
   * last slab that the cache has listed. Returns how many pages were freed.
   */
  sweep(cache: number, limit: number, keepOne: boolean): number {
    if (!this.claimLists(cache)) return 0;
    let freed = 0;
    let isSecondPass = false;
    for (let i = 0; i < limit; i++) {
      if (readPrivate(this.words, cache + CACHE_SWEEP) === 0) {
        // what was put back comes by once more, then what was on PARTIAL before; then all have been seen
        if (isSecondPass) break;
        isSecondPass = true;
      }
      const page = this.next(cache);
      if (page === 0) break;
      if (this.isEmpty(page) && !(keepOne && this.noneListed(cache))) {
        freed += this.discard(cache, page);
      } else {
        this.put(cache, page);
      }
    }
    this.releaseLists(cache);
    return freed;
  }

  /**
   * Gives an empty slab, which this CPU has taken off its list, back to the page allocator: at once, or when no
   * reader can look at its objects any more. Returns how many pages were freed.
   */
  discard(cache: number, page: number): number {
    if ((readPrivate(this.words, cache + CACHE_FLAGS) & FLAG_TYPESAFE_BY_RCU) === 0)
      return this.release(page);
    this.afterReaders(this.pages.descriptor(page) + DESC_NEXT);
    return 0;
  }

  /** The grace period of a discarded slab, which `link` names, is over. */
  readersLeft(link: number): void {
    this.release(this.pages.pageOf(link - DESC_NEXT));
  }

  /** The pages of an empty slab that nobody knows of. Returns how many. */
  private release(page: number): number {
    const cache = readPrivate(this.words, this.pages.descriptor(page) + DESC_CACHE);
    const count = readPrivate(this.words, cache + CACHE_PAGES);
    this.cpu.tracepoints.fire(this.cpu.tracepoints.slabDiscard, page * PAGE_BYTES, count * PAGE_BYTES);
    for (let i = 0; i < count; i++) this.pages.setUse(page + i, USE_NONE, 0);
    this.pages.free(page, count);
    fetchAdd(this.words, cache + CACHE_SLABS, -1);
    return count;
  }

  private isEmpty(page: number): boolean {
    return inUseOf(loadAcquire(this.words, this.pages.descriptor(page) + DESC_STATE)) === 0;
  }

  private noneListed(cache: number): boolean {
    return (
      readPrivate(this.words, cache + CACHE_SWEEP) === 0 && llistEmpty(this.words, cache + CACHE_PARTIAL)
    );
  }

  private claimLists(cache: number): boolean {
    for (let tries = 0; tries < this.takerTries; tries++) {
      // a CPU that died with it left the lists whole
      if (this.cpu.claimTaker(cache + CACHE_TAKER) !== NOT_CLAIMED) return true;
    }
    return false;
  }

  private releaseLists(cache: number): void {
    releaseTaker(this.words, cache + CACHE_TAKER);
  }

  /** The first slab of SWEEP, which is refilled from PARTIAL when empty. TAKER is held. */
  private next(cache: number): number {
    let link = readPrivate(this.words, cache + CACHE_SWEEP);
    if (link === 0) link = llistDelAll(this.words, cache + CACHE_PARTIAL);
    if (link === 0) return 0;
    writePrivate(this.words, cache + CACHE_SWEEP, readPrivate(this.words, link));
    return this.pages.pageOf(link - DESC_NEXT);
  }
}
