/** The page allocator's model: who has each page. */
import assert from "node:assert/strict";
import type { Booted } from "#src/boot.js";
import { checkPages, type Pages } from "#src/mm/index.js";
import { USE_LARGE, USE_NONE } from "#src/mm/layout.js";
import { managedPages } from "../support/sound.ts";

export interface Block {
  readonly page: number;
  readonly count: number;
}

export class PageOwners {
  readonly blocks: Block[] = [];
  readonly system: Booted;
  private readonly taken: Uint8Array;
  private held = 0;
  private peak: number;

  constructor(system: Booted) {
    this.system = system;
    this.taken = new Uint8Array(system.pages.total);
    this.held = system.pages.held;
    this.peak = system.pages.peak;
  }

  get free(): number {
    return managedPages(this.system) - this.held;
  }

  /** Allocates and notes it. Returns false if there was no such row of pages. */
  alloc(pages: Pages, count: number): boolean {
    const page = pages.alloc(count);
    if (page !== 0) {
      pages.setUse(page, USE_LARGE, count);
      this.note({ page, count });
    }
    return page !== 0;
  }

  private note({ page, count }: Block): void {
    assert.ok(page >= this.system.firstPage && page + count <= this.system.pages.total, `block at ${page}`);
    const already = this.taken.subarray(page, page + count).findIndex((taken) => taken !== 0);
    assert.equal(already, -1, `page ${page + already} was handed out twice`);
    this.taken.fill(1, page, page + count);
    this.blocks.push({ page, count });
    this.held += count;
    this.peak = Math.max(this.peak, this.held);
  }

  /** Frees the block with that number, modulo how many there are. */
  freeAt(pages: Pages, index: number): void {
    const [block] = this.blocks.splice(index % (this.blocks.length || 1), 1);
    if (block === undefined) return;
    pages.setUse(block.page, USE_NONE, 0);
    pages.free(block.page, block.count);
    this.taken.fill(0, block.page, block.page + block.count);
    this.held -= block.count;
  }

  freeAll(pages: Pages): void {
    while (this.blocks.length > 0) this.freeAt(pages, this.blocks.length - 1);
  }

  /** What the allocator says of itself is what was done. */
  check(): void {
    const { pages, firstPage } = this.system;
    assert.deepEqual([pages.held, pages.peak, pages.countFree()], [this.held, this.peak, this.free]);
    const problems: string[] = [];
    checkPages(pages, firstPage, (problem) => problems.push(problem));
    assert.deepEqual(problems, []);
  }

  /** Page by page: costs as much as the heap is long. */
  checkEachPage(): void {
    const { pages, firstPage } = this.system;
    for (let page = firstPage; page < pages.total; page++) {
      assert.equal(pages.isHeld(page), this.taken[page] === 1, `page ${page}`);
    }
  }

  /** Takes all there is, the biggest blocks first; returns their sizes. */
  takeEverything(pages: Pages): number[] {
    const counts: number[] = [];
    for (let count = 32768; count >= 1; count >>>= 1) {
      while (this.alloc(pages, count)) counts.push(count);
    }
    return counts;
  }
}
