/**
 * Charges along the tree of groups. (The kernel's page counters.)
 *
 * A charge is made group by group, upward: each by a CAS that is not tried if it would pass MAX. So a counter is never
 * above its limit, not for a moment, and siblings do not notice those that are refused. Where an ancestor refuses,
 * what was charged below it is taken back.
 *
 * Progress: lock-free (a CAS fails only because another CPU's charge or uncharge succeeded), once for each ancestor.
 * Any context. Groups are named by their records; the caller has the group pinned, by an allocator or by a charge.
 */
import { cmpxchg, fetchAdd, loadAcquire, type Words } from "#primitive";
import { MEMCG_CURRENT, MEMCG_MAX, MEMCG_PARENT, MEMCG_PEAK } from "./layout.ts";

export class Charges {
  private readonly words: Words;

  constructor(words: Words) {
    this.words = words;
  }

  /** Charges `units` to a group and all its ancestors, or to none of them. Returns the group that refused, or 0. */
  charge(group: number, units: number): number {
    if (group === 0) return 0;
    const reached = this.add(group, units);
    if (reached === 0) return group;
    const refused = this.charge(this.parentOf(group), units);
    if (refused === 0) this.raisePeak(group, reached);
    // pairs with add, on other CPUs: what was taken is there again
    else fetchAdd(this.words, group + MEMCG_CURRENT, -units);
    return refused;
  }

  /** Takes `units` back from a group and all its ancestors. */
  uncharge(group: number, units: number): void {
    for (let at = group; at !== 0; ) {
      // before the last charge is gone: from then on the record may be used again, and say another parent
      const parent = this.parentOf(at);
      // pairs with add, and with the look at what is left in Memcgs: this CPU is done with the group
      fetchAdd(this.words, at + MEMCG_CURRENT, -units);
      at = parent;
    }
  }

  /** The first of a group and its ancestors that has no room for `units` now, or 0. */
  refusing(group: number, units: number): number {
    let at = group;
    while (at !== 0 && this.hasRoom(at, units)) at = this.parentOf(at);
    return at;
  }

  /** True if `group` is `ancestor` or below it. */
  isUnder(group: number, ancestor: number): boolean {
    let at = group;
    while (at !== 0 && at !== ancestor) at = this.parentOf(at);
    return at !== 0;
  }

  parentOf(group: number): number {
    return loadAcquire(this.words, group + MEMCG_PARENT);
  }

  private hasRoom(group: number, units: number): boolean {
    return (
      loadAcquire(this.words, group + MEMCG_CURRENT) + units <= loadAcquire(this.words, group + MEMCG_MAX)
    );
  }

  /** Returns what CURRENT is then, or 0 if there is no room. */
  private add(group: number, units: number): number {
    for (;;) {
      const current = loadAcquire(this.words, group + MEMCG_CURRENT);
      const reached = current + units;
      if (reached > loadAcquire(this.words, group + MEMCG_MAX)) return 0;
      // pairs with itself, on other CPUs: each unit below MAX is taken once
      if (cmpxchg(this.words, group + MEMCG_CURRENT, current, reached) === current) return reached;
    }
  }

  private raisePeak(group: number, reached: number): void {
    for (;;) {
      const peak = loadAcquire(this.words, group + MEMCG_PEAK);
      // a number for people, who read it at any time; fails only because another CPU raised it
      if (peak >= reached || cmpxchg(this.words, group + MEMCG_PEAK, peak, reached) === peak) return;
    }
  }
}
