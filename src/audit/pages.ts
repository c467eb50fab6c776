/**
 * Pages that the bitmaps say are in use, but which are in no slab and no block: a thread died after it had claimed them,
 * or before it had set all their bits again. And what follows from a free in pieces: words that are full.
 */
import { PAGE_BYTES } from "../arena/layout.ts";
import type { System } from "../inspect/index.ts";
import { forEachBlock } from "../mm/index.ts";
import { USE_NONE } from "../mm/layout.ts";
import type { Finding, PageRun } from "./report.ts";

/** Pages in a row, and what frees them. */
export interface StrayPages extends PageRun {
  readonly mend: () => void;
}

export function strayPages(system: System): StrayPages[] {
  const { pages, firstPage } = system;
  const inBlocks = new Set<number>();
  forEachBlock(pages, firstPage, (page, _kind, count) => {
    for (let i = 0; i < count; i++) inBlocks.add(page + i);
  });
  const runs: StrayPages[] = [];
  for (let page = firstPage; page < pages.total; page++) {
    let count = 0;
    while (page + count < pages.total && !inBlocks.has(page + count) && pages.isHeld(page + count)) count++;
    if (count > 0) runs.push(run(system, page, count));
    page += count;
  }
  return runs;
}

function run({ pages }: System, page: number, count: number): StrayPages {
  const mend = (): void => {
    // the later pages of a slab that was half made
    for (let i = 0; i < count; i++) pages.setUse(page + i, USE_NONE, 0);
    pages.free(page, count);
  };
  return { p: page * PAGE_BYTES, pages: count, mend };
}

/** Full words of the bitmaps, and the count of pages in use. */
export function pageCounts({ pages, firstPage }: System): Finding[] {
  const findings: Finding[] = [];
  const full = pages.countUnmerged();
  if (full !== 0)
    findings.push({ line: `pages: ${full} full words were not moved up`, mend: () => pages.mergeFull() });
  const held = pages.total - firstPage - pages.countFree();
  const error = held - pages.held;
  if (error !== 0)
    findings.push({
      line: `pages: ${pages.held} in use were counted, ${held} are`,
      mend: () => pages.correctHeld(error),
    });
  return findings;
}
