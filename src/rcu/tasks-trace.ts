/**
 * Tasks trace: read sections of async functions, which may span `await`s, many of them open at once on a
 * thread. (The kernel's rcu_read_lock_trace; inside it is an SRCU.)
 *
 * Each CPU counts its open sections in two phases; a reader enters the phase that the step's number has as
 * its lowest bit. A step ends when no section is open in the *other* phase, and makes that the one to enter.
 * New readers are in the way of the next step only, so none goes on for ever.
 *
 * A reader may read the number, stall, and count itself later, in what is the other phase by then. So what
 * is unlinked at step n waits until both phases were found empty after that: at n + 3. (Step n may have looked
 * already; n + 1 and n + 2 look at one phase each.) A reader that counts itself later still does so after
 * the unlinking, and cannot see it.
 *
 * Progress: all wait-free.
 */
import { cmpxchg, fetchAdd, loadAcquire, storeRelease, type Words } from "#primitive";
import { SharedHeapError } from "../arena/index.ts";
import type { Cpus, PercpuAreas } from "../cpu/index.ts";
import { FIRST_SEQ, LOCAL_TRACE, TRACE_SEQ } from "./layout.ts";
import type { RcuPlace } from "./rcu.ts";

/** Steps from an unlinking to the end of its grace period. */
const STEPS = 3;

export class TasksTrace {
  private readonly words: Words;
  private readonly seq: number;
  private readonly cpus: Cpus;
  private readonly areas: PercpuAreas;
  private readonly offset: number;
  private readonly local: number;

  constructor(place: RcuPlace, cpu: number, cpus: Cpus, areas: PercpuAreas) {
    this.words = areas.words;
    this.seq = place.shared + TRACE_SEQ;
    this.cpus = cpus;
    this.areas = areas;
    this.offset = place.local;
    this.local = areas.areaOf(cpu) + place.local;
  }

  /** The first step. Creator only. */
  format(): void {
    storeRelease(this.words, this.seq, FIRST_SEQ);
  }

  /** Begins a section. Returns its phase, which `exit` needs. Any context. */
  enter(): number {
    const phase = loadAcquire(this.words, this.seq) & 1;
    // pairs with the loads in drive. Atomic although only this CPU counts: a nested call may enter in between.
    fetchAdd(this.words, this.local + LOCAL_TRACE + phase, 1);
    return phase;
  }

  /** Ends a section of that phase, on the CPU where it began. Any context. Errors: `rcu-unbalanced`. */
  exit(phase: number): void {
    if (phase !== 0 && phase !== 1) this.refuseExit();
    // pairs with the loads in drive: what the section read, it has read
    if (fetchAdd(this.words, this.local + LOCAL_TRACE + phase, -1) > 0) return;
    fetchAdd(this.words, this.local + LOCAL_TRACE + phase, 1);
    this.refuseExit();
  }

  /** This CPU's thread died, and another one acts as it: its sections are over. The CPU is dead until after that. */
  settle(): void {
    // pairs with the loads in inPhase
    for (const phase of [0, 1]) storeRelease(this.words, this.local + LOCAL_TRACE + phase, 0);
  }

  /** How many sections of this CPU are open. Any context. */
  get open(): number {
    return this.openAt(this.local);
  }

  /** How many sections of a CPU are open. Any context. */
  openOn(cpu: number): number {
    return this.openAt(this.areas.areaOf(cpu) + this.offset);
  }

  /** Names the step that waits for sections of a CPU; 0: the running one does not. Any context. */
  blocking(cpu: number): number {
    const seq = loadAcquire(this.words, this.seq);
    return this.inPhase(cpu, (seq & 1) ^ 1) === 0 ? 0 : (seq << 1) | 1;
  }

  /** How many steps have ended. They come round after 2^32. */
  get steps(): number {
    return (loadAcquire(this.words, this.seq) - FIRST_SEQ) >>> 0;
  }

  /** The number at which nobody sees any more what was unlinked before this call. Any context. */
  target(): number {
    return (loadAcquire(this.words, this.seq) + STEPS) | 0;
  }

  /** True once the grace period that `target` stands for has ended. Any context. */
  isPast(target: number): boolean {
    // pairs with the CAS in drive
    return ((loadAcquire(this.words, this.seq) - target) | 0) >= 0;
  }

  /** Ends steps until `target` is past, or a reader is in the way. Returns true if it is past. Any context. */
  drive(target: number): boolean {
    let seq = loadAcquire(this.words, this.seq);
    while (((seq - target) | 0) < 0) {
      if (!this.isQuiet(seq)) return false;
      // pairs with enter, target, isPast
      const there = cmpxchg(this.words, this.seq, seq, (seq + 1) | 0);
      // another CPU may have ended the step
      seq = there === seq ? (seq + 1) | 0 : there;
    }
    return true;
  }

  /** True if nobody is in the phase that step `seq` waits for. */
  private isQuiet(seq: number): boolean {
    const waitedFor = (seq & 1) ^ 1;
    for (let cpu = this.cpus.used - 1; cpu >= 0; cpu--) {
      if (this.inPhase(cpu, waitedFor) !== 0) return false;
    }
    return true;
  }

  private inPhase(cpu: number, phase: number): number {
    const open = loadAcquire(this.words, this.areas.areaOf(cpu) + this.offset + LOCAL_TRACE + phase);
    return open !== 0 && this.cpus.isDead(cpu) ? 0 : open;
  }

  private openAt(local: number): number {
    return loadAcquire(this.words, local + LOCAL_TRACE) + loadAcquire(this.words, local + LOCAL_TRACE + 1);
  }

  private refuseExit(): never {
    throw new SharedHeapError(
      "rcu-unbalanced",
      "exit() outside a tasks-trace section: each one needs an enter()",
    );
  }
}
