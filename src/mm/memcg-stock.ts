/**
 * A CPU's stock: charges of one group that are made already, so that most objects are charged by plain accesses.
 * (The kernel's memcg_stock.)
 *
 *     charge      from the stock; a batch more along the ancestors when it is used up
 *     uncharge    into the stock; what makes it more than two batches goes back, down to one
 *     another     group's charge or uncharge drains it first
 *
 * A local lock guards it: a call that is nested in the middle of a change goes straight to the groups' own counters.
 * Handlers of tracepoints run when it is let go.
 *
 * Progress: wait-free on stock, else as Charges. Any context.
 */
import { fetchAdd, readPrivate, type Words, writePrivate } from "#primitive";
import type { Cpu, Tracepoints } from "../cpu/index.ts";
import { localTryLock, localUnlock } from "../sync/index.ts";
import { MEMCG_MAX_HITS, STOCK_BATCH, STOCK_GROUP, STOCK_LOCK, STOCK_UNITS, UNIT_BYTES } from "./layout.ts";
import type { Charges } from "./memcg-charges.ts";

export class MemcgStock {
  readonly charges: Charges;
  private readonly words: Words;
  private readonly points: Tracepoints;
  private readonly lock: number;
  private readonly group: number;
  private readonly units: number;
  private readonly batch: number;

  /** `offset`: of STOCK_WORDS words in each CPU's area. */
  constructor(cpu: Cpu, charges: Charges, offset: number, batch: number = STOCK_BATCH) {
    this.words = cpu.words;
    this.points = cpu.tracepoints;
    this.charges = charges;
    this.lock = cpu.area + offset + STOCK_LOCK;
    this.group = cpu.area + offset + STOCK_GROUP;
    this.units = cpu.area + offset + STOCK_UNITS;
    this.batch = batch;
  }

  /** Charges a group, and with it its ancestors. False: there is no room, and nothing was charged. */
  charge(group: number, units: number): boolean {
    const refused = this.tryCharge(group, units);
    if (refused === 0) return true;
    // statistics: any CPU's, read by anyone
    fetchAdd(this.words, refused + MEMCG_MAX_HITS, 1);
    this.points.fire(this.points.memcgFail, refused * 4, units * UNIT_BYTES);
    return false;
  }

  /** Takes a charge back. */
  uncharge(group: number, units: number): void {
    if (!localTryLock(this.words, this.lock)) {
      this.charges.uncharge(group, units);
      return;
    }
    const there = this.stockOf(group) + units;
    const surplus = there > 2 * this.batch ? there - this.batch : 0;
    this.set(group, there - surplus);
    if (surplus !== 0) this.charges.uncharge(group, surplus);
    localUnlock(this.words, this.lock);
  }

  /** Gives the stock back, whatever group's it is. */
  drain(): void {
    if (!localTryLock(this.words, this.lock)) return;
    this.drainLocked();
    localUnlock(this.words, this.lock);
  }

  /** This CPU's thread died, and another one acts as it. UNITS is at no moment more than what is charged for the stock. */
  settle(): void {
    localUnlock(this.words, this.lock);
  }

  /** The group of which there is stock, or 0. */
  get stocked(): number {
    return readPrivate(this.words, this.units) === 0 ? 0 : readPrivate(this.words, this.group);
  }

  /** Returns the group that refused, or 0. */
  private tryCharge(group: number, units: number): number {
    if (!localTryLock(this.words, this.lock))
      return this.told(group, units, this.charges.charge(group, units));
    const missing = units - this.stockOf(group);
    if (missing <= 0) {
      this.set(group, -missing);
      localUnlock(this.words, this.lock);
      return 0;
    }
    // a batch besides, if that fits too
    let charged = missing + this.batch;
    let refused = this.charges.charge(group, charged);
    if (refused !== 0) {
      charged = missing;
      refused = this.charges.charge(group, charged);
    }
    if (refused === 0) this.set(group, charged - missing);
    // others may have use for it
    else this.drainLocked();
    localUnlock(this.words, this.lock);
    return this.told(group, charged, refused);
  }

  /** So many units were charged along the tree, unless a group `refused`: it returns that. Who is told may charge: no lock is held. */
  private told(group: number, units: number, refused: number): number {
    if (refused === 0) this.points.fire(this.points.memcgCharge, group * 4, units * UNIT_BYTES);
    return refused;
  }

  /** Units of the stock, if it is of that group; one of another group is drained. The lock is held. */
  private stockOf(group: number): number {
    if (readPrivate(this.words, this.group) !== group) this.drainLocked();
    return readPrivate(this.words, this.units);
  }

  private set(group: number, units: number): void {
    writePrivate(this.words, this.group, group);
    writePrivate(this.words, this.units, units);
  }

  private drainLocked(): void {
    const units = readPrivate(this.words, this.units);
    const group = readPrivate(this.words, this.group);
    writePrivate(this.words, this.units, 0);
    if (units !== 0) this.charges.uncharge(group, units);
  }
}
