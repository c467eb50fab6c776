/** What dead threads' programs had: kept for a while, then looked at and freed, as nobody else has it. */
import type { OwnedCache, SharedHeap } from "sharedheap";
import { unstamp } from "../objects.ts";
import type { Held, Journal } from "./journal.ts";
import { OWNED_POOL, openOwned, POOLS, type Pool } from "./pools.ts";

/** Of how many dead threads the objects are kept: nobody may write to them meanwhile. */
const KEPT = 8;

export class Estates {
  /** Objects that may be there or not, of each pool. */
  readonly unknown: number[] = POOLS.map(() => 0);
  /** Objects freed, and those taken back from threads by the allocator whose objects are owned. */
  freed = 0;
  reclaimed = 0;
  private readonly owned: OwnedCache;
  private readonly heap: SharedHeap;
  private readonly pools: readonly Pool[];
  private kept: Held[][] = [];

  constructor(heap: SharedHeap, pools: readonly Pool[]) {
    this.heap = heap;
    this.pools = pools;
    this.owned = openOwned(heap);
  }

  /** A thread has died. Throws if its objects, or those of threads that died some time ago, are not what they were. */
  add(journal: Journal): void {
    const { held } = journal;
    const owned = held.filter(({ pool }) => POOLS[pool].isOwned);
    const isKnown = journal.unknown < 0 || !POOLS[journal.unknown].isOwned;
    if (journal.unknown >= 0 && isKnown) this.unknown[journal.unknown]++;
    this.reclaim(journal, owned, isKnown ? 0 : 1);
    this.kept.push(held.filter(({ pool }) => !POOLS[pool].isOwned));
    if (this.kept.length > KEPT) this.free(this.kept.shift() ?? []);
  }

  /** All objects that a thread owned come back, and up to `more`. */
  private reclaim(journal: Journal, owned: readonly Held[], more: number): void {
    const { cpu, generation } = journal.place;
    if (cpu < 0) return;
    for (const { p, isStamped } of owned) if (isStamped) unstamp(this.heap, p);
    const count = this.owned.reclaim(cpu, generation);
    this.reclaimed += count;
    if (count < owned.length || count > owned.length + more)
      throw new Error(
        `CPU ${cpu} owned ${owned.length} objects, or ${more} more, and ${count} were reclaimed`,
      );
    // one that the thread was about to make its own, or did not own any more, is nobody's
    if (count < owned.length + more) this.unknown[OWNED_POOL]++;
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
