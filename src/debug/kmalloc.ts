/**
 * kmalloc of a debug heap. Up to 8 KiB it takes slab objects that have room for what lies around, in whole pages above; in
 * front of what is aligned to a page, a page. Blocks of which that would make more than there can be in one piece are
 * handed out bare.
 */
import { type Directory, shown } from "../arena/index.ts";
import { PAGE_BYTES, ZERO_SIZE_PTR } from "../arena/layout.ts";
import {
  type CacheSets,
  checkFlags,
  checkSize,
  GFP_ACCOUNT,
  GFP_ZERO,
  isOffset,
  Kmalloc,
  type Percpu,
  type Slab,
} from "../mm/index.ts";
import {
  KMALLOC_MAX_SLAB_BYTES,
  MAX_BLOCK_PAGES,
  USE_COUNT_SHIFT,
  USE_KIND_MASK,
  USE_LARGE,
} from "../mm/layout.ts";
import type { Blocks } from "./blocks.ts";
import {
  FRONT_BYTES,
  KEY_KMALLOC,
  PAGE_FRONT_ABOVE,
  PAGE_FRONT_BYTES,
  STATE_LIVE,
  ZONE_BYTES,
} from "./layout.ts";
import { isRecord, stateOf } from "./record.ts";
import type { Retire } from "./retire.ts";

export class DebugKmalloc extends Kmalloc {
  private readonly blocks: Blocks;
  private readonly retire: Retire;

  constructor(
    blocks: Blocks,
    retire: Retire,
    ...args: [slab: Slab, sets: CacheSets, percpu: Percpu, directory: Directory]
  ) {
    super(...args);
    this.blocks = blocks;
    this.retire = retire;
    retire.freeMemory = (start) => super.free(start);
  }

  override alloc(bytes: number, flags = 0): number {
    checkSize(bytes);
    checkFlags(flags, GFP_ZERO, "GFP_ZERO");
    if (bytes === 0) return ZERO_SIZE_PTR;
    if (around(bytes) > MAX_BLOCK_PAGES * PAGE_BYTES) return super.alloc(bytes, flags);
    const start = this.take(bytes) || this.retire.retry(() => this.take(bytes));
    return this.made(start, bytes, flags);
  }

  override allocNolock(bytes: number, flags = 0, isRealtime = false): number {
    checkSize(bytes);
    checkFlags(flags, GFP_ACCOUNT | GFP_ZERO, "GFP_ACCOUNT, GFP_ZERO");
    if (bytes === 0) return ZERO_SIZE_PTR;
    if (bytes > KMALLOC_MAX_SLAB_BYTES || isRealtime) return 0;
    const start = this.takeNolock(bytes) || this.retire.retryNolock(() => this.takeNolock(bytes));
    return this.made(start, bytes, flags);
  }

  override free(p: number, minBytes = 0): void {
    if (p === 0 || p === ZERO_SIZE_PTR) return;
    if (this.isBare(p)) super.free(p, minBytes);
    else this.blocks.free(p, KEY_KMALLOC, `kfree(${shown(p)}): `, minBytes);
  }

  private take(bytes: number): number {
    const all = around(bytes);
    if (bytes > KMALLOC_MAX_SLAB_BYTES) return super.alloc(all);
    const cache = this.cacheFor(all);
    return (this.slab.alloc(cache) || (this.shrink() ? this.slab.alloc(cache) : 0)) * 4;
  }

  private takeNolock(bytes: number): number {
    const cache = this.idleCacheFor(around(bytes));
    return cache === 0 ? 0 : this.slab.allocNolock(cache) * 4;
  }

  private made(start: number, bytes: number, flags: number): number {
    const contents = (flags & GFP_ZERO) !== 0 ? "zeros" : "fresh";
    return this.blocks.handOut(start >>> 0, frontFor(bytes), bytes, KEY_KMALLOC, contents);
  }

  /** True if a block without a record begins there: others begin a page in front of what the program knows. */
  private isBare(p: number): boolean {
    const { pages } = this.slab;
    if (!isOffset(pages, p) || p % PAGE_BYTES !== 0) return false;
    const use = pages.use(pages.pageAt(p >>> 2));
    const isLargest = (use & USE_KIND_MASK) === USE_LARGE && use >>> USE_COUNT_SHIFT >= MAX_BLOCK_PAGES - 1;
    const inside = p + PAGE_FRONT_BYTES;
    return isLargest && !(isRecord(pages.words, inside) && stateOf(pages.words, inside) === STATE_LIVE);
  }
}

function frontFor(bytes: number): number {
  return bytes > PAGE_FRONT_ABOVE ? PAGE_FRONT_BYTES : FRONT_BYTES;
}

/** Bytes of an object and what lies around it. */
function around(bytes: number): number {
  return frontFor(bytes) + bytes + ZONE_BYTES;
}
