/** What is wrong with a free: all that release mode finds by the header, and what only records tell. */
import { SharedHeapError, type SharedHeapErrorCode } from "../arena/index.ts";
import { HEADER_BYTES, OWNED_BYTES } from "../memalloc/layout.ts";
import {
  hasHeaders,
  hasOwners,
  isObjectStart,
  isOffset,
  type Pages,
  slabCacheOf,
  slabPageAt,
} from "../mm/index.ts";
import { keyInHeader } from "./header.ts";
import { STATE_LIVE } from "./layout.ts";
import { isGuarded, type Memory, memoryAround, memoryAt, objectIn } from "./placement.ts";
import { isRecord, keyOf, stateOf } from "./record.ts";
import type { Reports } from "./reports.ts";

export class FreeCheck {
  private readonly pages: Pages;
  private readonly reports: Reports;

  constructor(pages: Pages, reports: Reports) {
    this.pages = pages;
    this.reports = reports;
  }

  /**
   * The memory of the live object of `key` at `p`. Reads only. Errors: `bad-pointer`, `double-free`, `wrong-cache`, `corrupt`;
   * `call` is what their messages begin with.
   */
  live(p: unknown, key: number, call: string): Memory {
    const { words } = this.pages;
    const memory = memoryAt(this.pages, p);
    // also where the slab has been given back since: nothing has overwritten the record
    if (isOffset(this.pages, p) && isRecord(words, p) && stateOf(words, p) !== STATE_LIVE)
      throw this.freedTwice(p, call);
    if (memory === undefined) throw this.noObject(p, call);
    // memoryAt has looked
    const at = p as number;
    if (!isRecord(words, at)) throw this.noRecord(at, memory, key, call);
    if (keyOf(words, at) !== key) throw this.foreign(at, call);
    if (isGuarded(this.pages, memory.cache) && !this.hasHeader(memory, key))
      throw this.lostHeader(at, memory, call);
    return memory;
  }

  /** The object at `p` has been freed, or is being freed by another thread at this moment. */
  freedTwice(p: number, call: string): SharedHeapError {
    return this.error("double-free", `${call}the object has been freed already; ${this.reports.object(p)}`);
  }

  /** The object in front of that memory, if that is damaged: it may have been written to beyond its end. */
  neighbour({ start }: { readonly start: number }): string {
    const memory = memoryAround(this.pages, start - 8);
    const p = memory === undefined ? 0 : objectIn(this.pages, memory);
    const damage = p === 0 || memory === undefined ? "" : this.reports.damage(p, memory, true);
    return damage === "" ? "" : `see the one in front of it: ${damage}; ${this.reports.object(p)}`;
  }

  private foreign(p: number, call: string): SharedHeapError {
    const owner = this.reports.nameOf(keyOf(this.pages.words, p));
    return this.error(
      "wrong-cache",
      `${call}the object belongs to ${owner}; free it there; ${this.reports.object(p)}`,
    );
  }

  /** `p` is where an object of such memory begins, and there is no record. */
  private noRecord(p: number, memory: Memory, key: number, call: string): SharedHeapError {
    const isOut = isGuarded(this.pages, memory.cache) && this.hasHeader(memory, key);
    const neighbour = this.neighbour(memory);
    if (isOut || neighbour !== "") return this.reports.lostRecord(call, p, neighbour);
    return this.error(
      "bad-pointer",
      `${call}no object of the program starts there, or what is in front of it was overwritten`,
    );
  }

  private noObject(p: unknown, call: string): SharedHeapError {
    if (!isOffset(this.pages, p))
      return this.error("bad-pointer", `${call}not an offset of this heap, aligned to 8`);
    const owner = this.unguardedOwner(p);
    if (owner !== 0)
      return this.error(
        "wrong-cache",
        `${call}the object belongs to ${this.reports.nameOf(owner)}; free it there`,
      );
    const memory = memoryAround(this.pages, p);
    const inside = memory === undefined ? 0 : objectIn(this.pages, memory);
    if (inside === 0) return this.error("bad-pointer", `${call}no object starts there`);
    const where = p > inside ? `${p - inside} bytes inside` : `${inside - p} bytes in front of`;
    return this.error("bad-pointer", `${call}that is ${where} the ${this.reports.object(inside)}`);
  }

  /** True if the allocator with that key has the object out, says its header. */
  private hasHeader({ start }: Memory, key: number): boolean {
    return keyInHeader(this.pages.words, start) === key;
  }

  /** The key of the per-CPU or owned object at `p`, around which nothing of ours lies; 0: there is none. */
  private unguardedOwner(p: number): number {
    const { words } = this.pages;
    const page = slabPageAt(this.pages, (p - HEADER_BYTES) >>> 2);
    const cache = page === 0 ? 0 : slabCacheOf(this.pages, page);
    if (cache === 0 || !hasHeaders(words, cache) || isGuarded(this.pages, cache)) return 0;
    const start = p - HEADER_BYTES - (hasOwners(words, cache) ? OWNED_BYTES : 0);
    return isObjectStart(this.pages, page, start >>> 2) ? keyInHeader(words, start) : 0;
  }

  private lostHeader(p: number, memory: Memory, call: string): SharedHeapError {
    // another thread may be freeing it at this moment
    if (stateOf(this.pages.words, p) !== STATE_LIVE) return this.freedTwice(p, call);
    const neighbour = this.neighbour(memory);
    const why = neighbour === "" ? "" : `: ${neighbour}`;
    return this.error(
      "corrupt",
      `${call}the allocator's header in front of the object was overwritten${why}; ${this.reports.object(p)}`,
    );
  }

  private error(code: SharedHeapErrorCode, message: string): SharedHeapError {
    return new SharedHeapError(code, message);
  }
}
