/** Pages in use, second by second, and whether they become more. */
import type { SharedHeap } from "sharedheap";

/** From this length on growth is judged, and minutes are compared instead of thirds. */
const JUDGED_SECONDS = 180;
const MINUTE = 60;
/** The seconds of the last part may, on average, have peaks so many times those of the second part. */
export const MAX_RATIO = 1.2;

/** A minute, or a third. */
interface Part {
  /** Most pages in use in a second, on average over its seconds, and in the worst. */
  readonly average: number;
  readonly most: number;
}

export interface MemoryReport {
  /** Most pages that were seen in use in each second. */
  readonly peaks: readonly number[];
  /** The second minute, or third, and the last. */
  readonly early: Part;
  readonly late: Part;
  /** Of the averages, which is judged: the worst second of a minute is a matter of chance, how long some thread had no core. */
  readonly ratio: number;
  readonly mostRatio: number;
  readonly isJudged: boolean;
}

export class Memory {
  private readonly peaks: number[] = [];

  /** Notes how many pages are in use `seconds` after the start. */
  note(seconds: number, pages: number): void {
    const second = Math.floor(seconds);
    // if nobody looked for more than a second
    while (this.peaks.length < second) this.peaks.push(pages);
    this.peaks[second] = Math.max(this.peaks[second] ?? 0, pages);
  }

  report(): MemoryReport {
    const { peaks } = this;
    const isJudged = peaks.length >= JUDGED_SECONDS;
    const length = isJudged ? MINUTE : Math.ceil(peaks.length / 3);
    const early = partOf(peaks.slice(length, 2 * length));
    const late = partOf(peaks.slice(-length));
    const ratio = late.average / (early.average || late.average);
    return { peaks, early, late, ratio, mostRatio: late.most / (early.most || late.most), isJudged };
  }
}

function partOf(peaks: readonly number[]): Part {
  const sum = peaks.reduce((total, pages) => total + pages, 0);
  return { average: sum / Math.max(peaks.length, 1), most: Math.max(0, ...peaks) };
}

/** Pages in use now. `heap.stats()` says so too, but walks all slabs for it: too slow to do fifty times a second. */
export function pagesHeld(heap: SharedHeap): number {
  return (heap as unknown as { booted: { pages: { held: number } } }).booted.pages.held;
}
