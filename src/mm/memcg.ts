/**
 * Groups (memcg): what is charged to them, and up to how much. They are records of the directory, found by name, in a
 * tree; a group is charged with what is below it too.
 *
 * Allocators and children hold their group (REFS). A group that is dropped takes no new ones, and goes when REFS is 0
 * and nothing is charged any more. Read in this order, since what holds no REFS charges nothing new:
 *
 *     phase DRAINING     from here on a hold looks at the phase, and lets go
 *     REFS == 0          stays so: no allocator is left that could charge
 *     CURRENT == LOST    stays so: charges on their way back, and stocks, are over
 *
 * Progress: lock-free.
 */
import { fetchAdd, loadAcquire, storeRelease } from "#primitive";
import {
  checkName,
  type Directory,
  destroyedError,
  Records,
  type Ref,
  SharedHeapError,
} from "../arena/index.ts";
import { KIND_MEMCG } from "../arena/layout.ts";
import {
  MEMCG_CURRENT,
  MEMCG_FAILURES,
  MEMCG_LOST,
  MEMCG_MAX,
  MEMCG_MAX_HITS,
  MEMCG_PARENT,
  MEMCG_PEAK,
  MEMCG_REFS,
  NO_MAX,
  UNIT_BYTES,
} from "./layout.ts";
import type { MemcgStock } from "./memcg-stock.ts";

/** All groups are of one sort. */
const SORT = 0;

/** What a group counts: bytes, and how often. */
export interface MemcgCounters {
  readonly max: number;
  readonly current: number;
  readonly peak: number;
  readonly maxHits: number;
  readonly failures: number;
}

/** What was made, or was there first. */
export interface Made {
  readonly ref: Ref;
  readonly isNew: boolean;
}

export class Memcgs extends Records {
  readonly stock: MemcgStock;

  /** `shared`: see Records. */
  constructor(directory: Directory, shared: number, stock: MemcgStock) {
    super(directory, KIND_MEMCG, shared);
    this.stock = stock;
  }

  /**
   * The group of that name; if there is none it is made, with room for `max` bytes (Infinity: no limit). `parent`:
   * where it is, or, of one that exists, must be. Errors: `bad-name`, `limit`, `mismatch`, `destroyed` (the parent).
   */
  open(name: string, max: number, parent: Ref | undefined): Ref {
    checkName(name);
    if (parent !== undefined) this.checkLive(parent);
    // each further round is owed to a drop
    for (;;) {
      const ref = this.find(name) ?? this.make(name, max, parent);
      if (parent === undefined || this.load(ref, MEMCG_PARENT) === parent.record) return ref;
      // after its words were read: if it has been dropped, they may be those of another group by now
      if (this.isLive(ref))
        throw new SharedHeapError(
          "mismatch",
          `group "${name}" exists with another parent: open it as it was made`,
        );
    }
  }

  /** Keeps a group from going, for an allocator, a child, or a step. Errors: `destroyed`. */
  hold(ref: Ref): void {
    // before the look at the phase: either that sees the drop, or tryRelease sees the hold
    fetchAdd(this.words, ref.record + MEMCG_REFS, 1);
    if (this.isLive(ref)) return;
    this.letGo(ref.record);
    throw this.goneError(ref);
  }

  /** Ends a hold. */
  letGo(group: number): void {
    // pairs with the load in tryRelease: all that the holder charged comes before
    fetchAdd(this.words, group + MEMCG_REFS, -1);
  }

  /** Makes what is charged now the most that is charged, if `max` bytes are less. Errors: `destroyed`. */
  setMax(ref: Ref, max: number): void {
    // if it was dropped in between, its record could be another group's by now, and this the limit of that
    this.hold(ref);
    // pairs with the load in Charges.add: charges from here on know it
    storeRelease(this.words, ref.record + MEMCG_MAX, unitsOf(max));
    this.letGo(ref.record);
  }

  /** Ends a group: it goes with its last charge, child and allocator. Any context. Errors: `destroyed`. */
  drop(ref: Ref): void {
    if (!this.drain(ref)) throw this.goneError(ref);
    this.poll();
  }

  /** This CPU's part in the end of groups that were dropped. Any context. */
  poll(): void {
    if (!this.isDraining) return;
    const { stocked } = this.stock;
    if (stocked !== 0 && this.draining().some(({ record }) => record === stocked)) this.stock.drain();
    // a parent may go after its last child: each further round is owed to one that went
    while (this.draining().some((ref) => this.tryRelease(ref)));
  }

  /** An allocator of the group is gone, and so many units of its objects will never come back. */
  lose(group: number, units: number): void {
    // pairs with the load in tryRelease, by the letGo that follows
    if (group !== 0 && units !== 0) fetchAdd(this.words, group + MEMCG_LOST, units);
  }

  /** NULL was returned because this group has no room. */
  countFailure(group: number): void {
    // statistics: any CPU's, read by anyone
    fetchAdd(this.words, group + MEMCG_FAILURES, 1);
  }

  counters({ record }: Ref): MemcgCounters {
    const count = (field: number) => loadAcquire(this.words, record + field);
    const max = count(MEMCG_MAX);
    return {
      max: max === NO_MAX ? Infinity : max * UNIT_BYTES,
      current: count(MEMCG_CURRENT) * UNIT_BYTES,
      peak: count(MEMCG_PEAK) * UNIT_BYTES,
      maxHits: count(MEMCG_MAX_HITS),
      failures: count(MEMCG_FAILURES),
    };
  }

  nameOf(group: number): string {
    return this.directory.nameOf(group);
  }

  /** Throws `destroyed` if the group was dropped. */
  checkLive(ref: Ref): void {
    if (!this.isLive(ref)) throw this.goneError(ref);
  }

  private goneError(ref: Ref): SharedHeapError {
    return destroyedError(this.nameOf(ref.record));
  }

  protected sortOf(): number {
    return SORT;
  }

  protected append(_sort: number, name: string): number {
    return this.directory.reserve(KIND_MEMCG, name);
  }

  /**
   * Makes a thing that holds `group` from then on. `make` tells `filled` the ref of what it writes, and returns that,
   * or another one that was there first: then the hold is not needed. Errors: those of hold and `make`.
   */
  makeHolder(group: Ref | undefined, make: (filled: (ref: Ref) => void) => Ref): Made {
    if (group !== undefined) this.hold(group);
    let own: Ref | undefined;
    let isNew = false;
    try {
      const ref = make((filled) => {
        own = filled;
      });
      isNew = ref === own;
      return { ref, isNew };
    } finally {
      if (group !== undefined && !isNew) this.letGo(group.record);
    }
  }

  private make(name: string, max: number, parent: Ref | undefined): Ref {
    const { ref } = this.makeHolder(parent, (filled) =>
      this.makeOf(SORT, name, (own) => {
        this.fill(own, max, parent?.record ?? 0);
        filled(own);
      }),
    );
    return ref;
  }

  /** REFS is left alone: late holders of an earlier generation count it up, and down again. */
  private fill({ record }: Ref, max: number, parent: number): void {
    const store = (field: number, value: number) => storeRelease(this.words, record + field, value);
    store(MEMCG_PARENT, parent);
    store(MEMCG_MAX, unitsOf(max));
    for (const field of [MEMCG_LOST, MEMCG_CURRENT, MEMCG_PEAK, MEMCG_MAX_HITS, MEMCG_FAILURES])
      store(field, 0);
  }

  /** Releases a dropped group that nothing is left of. True if this CPU did. */
  private tryRelease(ref: Ref): boolean {
    const load = (field: number) => this.load(ref, field);
    // pairs with letGo, then with Charges.uncharge: in this order
    if (load(MEMCG_REFS) !== 0) return false;
    const lost = load(MEMCG_CURRENT);
    if (lost !== load(MEMCG_LOST) || !this.claimRelease(ref)) return false;
    const parent = load(MEMCG_PARENT);
    if (parent !== 0) {
      // the parent stays charged with it
      this.lose(parent, lost);
      this.letGo(parent);
    }
    this.retire(ref);
    return true;
  }

  private load({ record }: Ref, field: number): number {
    return loadAcquire(this.words, record + field);
  }
}

function unitsOf(bytes: number): number {
  return bytes === Infinity ? NO_MAX : Math.floor(bytes / UNIT_BYTES);
}
