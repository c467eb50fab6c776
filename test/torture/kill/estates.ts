/** What dead threads' programs had: kept for a while, then looked at and freed, as nobody else has it. */
import type { SharedHeap } from "sharedheap";
import { unstamp } from "../objects.ts";
import type { Held, Journal } from "./journal.ts";
import { POOLS, type Pool } from "./pools.ts";

/** Of how many dead threads the objects are kept: nobody may write to them meanwhile. */
const KEPT = 8;

export class Estates {
  /** Objects that may be there or not, of each pool. */
  readonly unknown: number[] = POOLS.map(() => 0);
  /** Objects freed. */
  freed = 0;
  private readonly heap: SharedHeap;
  private readonly pools: readonly Pool[];
  private kept: Held[][] = [];

  constructor(heap: SharedHeap, pools: readonly Pool[]) {
    this.heap = heap;
    this.pools = pools;
  }

  /** A thread has died. Throws if objects of threads that died some time ago are not what they were. */
  add(journal: Journal): void {
    if (journal.unknown >= 0) this.unknown[journal.unknown]++;
    this.kept.push(journal.held);
    if (this.kept.length > KEPT) this.free(this.kept.shift() ?? []);
  }

  /** All that is kept. */
  get held(): Held[] {
    return this.kept.flat();
  }

  /** Checks objects and frees them. */
  free(objects: readonly Held[]): void {
    for (const { pool, p, isStamped } of objects) {
      if (isStamped) unstamp(this.heap, p);
      this.pools[pool].free(p);
      this.freed++;
    }
  }
}
