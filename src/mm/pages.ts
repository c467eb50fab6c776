/**
 * The page allocator: a buddy system of radix 32 on bitmaps. A set bit is a free block; there are
 * three levels of blocks, of 1, 32 and 1,024 pages. A block of one level is split by claiming its
 * bit and setting the 32 bits of its word one level down; a word whose bits are all set again goes
 * back up as one bit. So a page is free in exactly one place, and a word of zeros is a block in use,
 * or whole on the level above: an untouched heap is all zeros but for a few words.
 *
 *     claim     one CAS clears all the bits of a block, which lie in one word
 *     release   one atomic OR sets them; who finds the word full moves it up
 *
 * A request for n pages takes n <= 32 bits of one word; a larger one takes whole blocks of the level
 * above and releases what it does not need, so exactly n pages are held.
 *
 *                   alloc    free
 *     alloc         yes      yes       on any CPUs, at any depth of nesting
 *     free          yes      yes
 *
 * Progress: free is wait-free. alloc tries a word's CAS CLAIM_TRIES times, and looks at every word of
 * the bitmaps at most once or twice: bounded by the size of the heap. NULL while another CPU is
 * between the two steps of a split or a merge is possible only when its block is the last one.
 */
import {
  cmpxchg,
  fetchAdd,
  fetchOr,
  loadAcquire,
  readPrivate,
  storeRelease,
  type Words,
  writePrivate,
  zeroPrivate,
} from "#primitive";
import type { Arena, Faults, Memblock } from "../arena/index.ts";
import { PAGE_SHIFT, PAGE_WORDS } from "../arena/layout.ts";
import { findRun, popcount, runMask } from "./bits.ts";
import {
  CLAIM_TRIES,
  DESC_SHIFT,
  DESC_USE,
  DESC_WORDS,
  LEVEL_SHIFT,
  LEVELS,
  MAX_BLOCK_PAGES,
  PAGES_COUNTER_WORDS,
  PAGES_HELD,
  PAGES_PEAK,
  SEARCH_WORDS,
  USE_COUNT_SHIFT,
  USE_NONE,
} from "./layout.ts";

const PAGE_TO_WORD_SHIFT = PAGE_SHIFT - 2;

/** Where the page allocator's tables lie. */
export interface PageTables {
  /** Address and length of each level's bitmap. */
  readonly levels: readonly number[];
  readonly levelWords: readonly number[];
  readonly descriptors: number;
  readonly counters: number;
}

/** Reserves the tables for a heap of `total` pages. */
export function reservePageTables(total: number, memblock: Memblock): PageTables {
  const levelWords = Array.from({ length: LEVELS }, (_, level) =>
    Math.ceil(total / 2 ** (LEVEL_SHIFT * (level + 1))),
  );
  return {
    levels: levelWords.map((count) => memblock.reserve(count)),
    levelWords,
    descriptors: memblock.reserve(total * DESC_WORDS),
    counters: memblock.reserve(PAGES_COUNTER_WORDS),
  };
}

export class Pages {
  readonly words: Words;
  /** Pages of the whole heap, those of the tables included. */
  readonly total: number;
  private readonly tables: PageTables;
  /** This CPU's words that say where to look first, one for each level but the last. Private. */
  private readonly hints: number;
  private readonly faults: Faults;

  constructor(arena: Arena, tables: PageTables, hints: number) {
    this.faults = arena.faults;
    this.words = arena.words;
    this.total = arena.words.length / PAGE_WORDS;
    this.tables = tables;
    this.hints = hints;
  }

  /** Makes the pages from `first` on free. Creator only, once. */
  format(first: number): void {
    this.releaseRange(first, this.total - first);
  }

  /**
   * Claims `count` pages in a row, 1 to 32768. Returns the first one's number, or 0 if there is no
   * such row. The caller sets the descriptor. Contents: whatever the last user left. Any context.
   */
  alloc(count: number): number {
    if (count > MAX_BLOCK_PAGES || this.faults.fails("pages")) return 0;
    let level = 0;
    while (count > 32 << (LEVEL_SHIFT * level)) level++;
    const shift = LEVEL_SHIFT * level;
    const units = Math.ceil(count / (1 << shift));
    const unit = this.claim(level, units);
    if (unit < 0) return 0;
    const page = unit << shift;
    this.releaseRange(page + count, (units << shift) - count);
    this.addHeld(count);
    return page;
  }

  /** Frees the `count` pages from `page` on, in one piece or in several. The caller has cleared the descriptor. Any context. */
  free(page: number, count: number): void {
    this.releaseRange(page, count);
    fetchAdd(this.words, this.tables.counters + PAGES_HELD, -count);
  }

  /** Pages in use now. */
  get held(): number {
    return loadAcquire(this.words, this.tables.counters + PAGES_HELD);
  }

  /** The most pages ever in use. */
  get peak(): number {
    return loadAcquire(this.words, this.tables.counters + PAGES_PEAK);
  }

  /** The address of a page's descriptor. */
  descriptor(page: number): number {
    return this.tables.descriptors + (page << DESC_SHIFT);
  }

  /** The page whose descriptor is at `descriptor`. */
  pageOf(descriptor: number): number {
    return (descriptor - this.tables.descriptors) >>> DESC_SHIFT;
  }

  /** The first word of a page. */
  address(page: number): number {
    return page << PAGE_TO_WORD_SHIFT;
  }

  /** The page in which a word lies. */
  pageAt(word: number): number {
    return word >>> PAGE_TO_WORD_SHIFT;
  }

  /** What a page is used for: USE_* | count << USE_COUNT_SHIFT. */
  use(page: number): number {
    // pairs with setUse: whoever reads a kind may read the rest of the descriptor
    return loadAcquire(this.words, this.descriptor(page) + DESC_USE);
  }

  /** Sets what a page is used for: the last step of taking it, and, with USE_NONE, the first of freeing it. */
  setUse(page: number, kind: number, count: number): void {
    const use = kind === USE_NONE ? 0 : kind | (count << USE_COUNT_SHIFT);
    storeRelease(this.words, this.descriptor(page) + DESC_USE, use);
  }

  /** Claims the freeing of a page's block: clears its use. False if that is no longer `use`. */
  claimUse(page: number, use: number): boolean {
    // pairs with itself, on other CPUs: of two frees of one block, one goes on
    return cmpxchg(this.words, this.descriptor(page) + DESC_USE, use, 0) === use;
  }

  /** Zeroes pages that this CPU holds. */
  zero(page: number, count: number): void {
    zeroPrivate(this.words, this.address(page), count * PAGE_WORDS);
  }

  /** True if the page is in use, or below the first page that ever was free. Exact only at rest. */
  isHeld(page: number): boolean {
    let unit = page;
    for (let level = 0; level < LEVELS; level++) {
      if ((loadAcquire(this.words, this.wordOf(level, unit)) >>> (unit & 31)) & 1) return false;
      unit >>>= LEVEL_SHIFT;
    }
    return true;
  }

  /** How many pages the bitmaps say are free. Exact only at rest. */
  countFree(): number {
    let free = 0;
    for (let level = 0; level < LEVELS; level++) {
      for (let i = 0; i < this.tables.levelWords[level]; i++) {
        free += popcount(loadAcquire(this.words, this.tables.levels[level] + i)) << (LEVEL_SHIFT * level);
      }
    }
    return free;
  }

  /** Words of a level's bitmap that are full although they belong one level up. 0 at rest. */
  countUnmerged(): number {
    let full = 0;
    for (let level = 0; level < LEVELS - 1; level++) {
      for (let i = 0; i < this.tables.levelWords[level]; i++) {
        if (loadAcquire(this.words, this.tables.levels[level] + i) === -1) full++;
      }
    }
    return full;
  }

  /** Moves up the full words that a CPU which died left where they were. While no call is under way anywhere. */
  mergeFull(): void {
    for (let level = 0; level < LEVELS - 1; level++) {
      for (let i = 0; i < this.tables.levelWords[level]; i++) {
        const at = this.tables.levels[level] + i;
        // as in release
        if (cmpxchg(this.words, at, -1, 0) === -1) this.release(level + 1, i, 1);
      }
    }
  }

  /** Corrects the count of pages in use. As mergeFull. */
  correctHeld(delta: number): void {
    fetchAdd(this.words, this.tables.counters + PAGES_HELD, delta);
  }

  /** First of `count` blocks in a row of that level, or -1. */
  private claim(level: number, count: number): number {
    const words = this.tables.levelWords[level];
    if (level === LEVELS - 1) return this.search(level, count, 0, words);
    const hint = readPrivate(this.words, this.hints + level);
    const near = this.search(level, count, hint, Math.min(SEARCH_WORDS, words));
    if (near >= 0) return near;
    const split = this.split(level, count);
    return split >= 0 ? split : this.search(level, count, hint, words);
  }

  /** Takes a block of the level above; keeps the first `count` of its 32 parts. */
  private split(level: number, count: number): number {
    const block = this.claim(level + 1, 1);
    if (block < 0) return -1;
    const unit = block << LEVEL_SHIFT;
    if (count < 32) this.release(level, unit + count, 32 - count);
    writePrivate(this.words, this.hints + level, block);
    return unit;
  }

  /** Looks at `limit` words, from word `from` on and around the end. */
  private search(level: number, count: number, from: number, limit: number): number {
    const words = this.tables.levelWords[level];
    for (let i = 0, word = from; i < limit; i++, word = word + 1 === words ? 0 : word + 1) {
      const bit = this.claimIn(this.tables.levels[level] + word, count);
      if (bit < 0) continue;
      if (level < LEVELS - 1) writePrivate(this.words, this.hints + level, word);
      return (word << LEVEL_SHIFT) | bit;
    }
    return -1;
  }

  /** Claims `count` bits in a row of one word. Returns the first one's position, or -1. */
  private claimIn(at: number, count: number): number {
    for (let tries = 0; tries < CLAIM_TRIES; tries++) {
      const bits = loadAcquire(this.words, at);
      const bit = findRun(bits, count);
      if (bit < 0) return -1;
      // pairs with the OR in release: the pages are ours, and their last user is done with them
      if (cmpxchg(this.words, at, bits, bits & ~runMask(bit, count)) === bits) return bit;
    }
    return -1;
  }

  /** Sets `count` bits of one word of a level, and moves the word up if that makes it full. */
  private release(level: number, unit: number, count: number): void {
    const at = this.wordOf(level, unit);
    const mask = runMask(unit & 31, count);
    // pairs with the CAS in claimIn: publishes that we are done with the pages
    const before = fetchOr(this.words, at, mask);
    if ((before | mask) !== -1 || level === LEVELS - 1) return;
    // pairs with claimIn: claims all 32 blocks, to give them back as one
    if (cmpxchg(this.words, at, -1, 0) === -1) this.release(level + 1, unit >>> LEVEL_SHIFT, 1);
  }

  /** Sets the bits of a range of pages, in the biggest blocks that fit. */
  private releaseRange(page: number, count: number): void {
    let at = page;
    let left = count;
    while (left > 0) {
      const level = this.levelFor(at, left);
      const shift = LEVEL_SHIFT * level;
      const unit = at >>> shift;
      const units = Math.min(32 - (unit & 31), left >>> shift);
      this.release(level, unit, units);
      at += units << shift;
      left -= units << shift;
    }
  }

  /** The highest level of which a block starts at `page` and is at most `count` pages long. */
  private levelFor(page: number, count: number): number {
    let level = 0;
    while (level < LEVELS - 1) {
      const pages = 1 << (LEVEL_SHIFT * (level + 1));
      if (page % pages !== 0 || count < pages) break;
      level++;
    }
    return level;
  }

  private wordOf(level: number, unit: number): number {
    return this.tables.levels[level] + (unit >>> LEVEL_SHIFT);
  }

  private addHeld(count: number): void {
    const held = fetchAdd(this.words, this.tables.counters + PAGES_HELD, count) + count;
    for (;;) {
      const peak = loadAcquire(this.words, this.tables.counters + PAGES_PEAK);
      // lock-free: the CAS fails only because another CPU raised the peak
      if (held <= peak || cmpxchg(this.words, this.tables.counters + PAGES_PEAK, peak, held) === peak) return;
    }
  }
}
