/**
 * Records of the directory that come and go: allocators, groups. They are never given back to the directory, but
 * used again: RECORD_STATE is a generation and a phase,
 *
 *     FREE -> FILLING -> PENDING -> LIVE -> DRAINING -> RELEASING -> FREE, next generation
 *                           \--> REFUSED -> FREE: another one of that name was there first
 *
 * A new record becomes LIVE while INSTALLING names it, one at a time, so that no two of a kind and name do. Whoever
 * wants to install and finds another one there finishes that first: nobody waits. So a late look at a record finds
 * a record, and making and ending them all day takes bounded memory.
 *
 * Progress: find is wait-free; make is lock-free (each further round is owed to an installed record).
 */
import { cmpxchg, fetchAdd, loadAcquire, storeRelease, type Words } from "#primitive";
import type { Directory } from "./directory.ts";
import {
  DRAINING,
  INSTALLING,
  PHASE_DRAINING,
  PHASE_FILLING,
  PHASE_FREE,
  PHASE_LIVE,
  PHASE_MASK,
  PHASE_PENDING,
  PHASE_REFUSED,
  PHASE_RELEASING,
  PHASE_SHIFT,
  RECORD_NAME,
  RECORD_STATE,
} from "./layout.ts";
import { nameIs, writeName } from "./names.ts";

/** A record in one of its generations. */
export interface Ref {
  readonly record: number;
  readonly generation: number;
}

/** Generations that INSTALLING tells apart: a helper would have to stall through so many lives of one record. */
const TOKEN_GENERATIONS = 0x3fff;
const TOKEN_SHIFT = 17;

export abstract class Records {
  protected readonly words: Words;
  protected readonly directory: Directory;
  private readonly kind: number;
  private readonly shared: number;

  /** `shared`: RECORDS_WORDS words of the whole heap, for records of this kind. */
  constructor(directory: Directory, kind: number, shared: number) {
    this.words = directory.words;
    this.directory = directory;
    this.kind = kind;
    this.shared = shared;
  }

  /** The live one of that name. */
  find(name: string): Ref | undefined {
    for (const record of this.directory.ofKind(this.kind)) {
      const state = this.state(record);
      const isIt = phaseOf(state) === PHASE_LIVE && nameIs(this.words, record + RECORD_NAME, name);
      // looked at again: the name may have been another one's by the time it was read
      if (isIt && this.state(record) === state) return { record, generation: generationOf(state) };
    }
    return undefined;
  }

  /** Those that are in use: live ones, and those that are going away. */
  list(): Ref[] {
    return this.inPhases(PHASE_LIVE, PHASE_DRAINING);
  }

  /** All records there are, whatever state they are in. */
  every(): Ref[] {
    return this.directory
      .ofKind(this.kind)
      .map((record) => ({ record, generation: generationOf(this.state(record)) }));
  }

  /** The names of those that can be found. */
  liveNames(): string[] {
    return this.inPhases(PHASE_LIVE).map(({ record }) => this.directory.nameOf(record));
  }

  /** Those that are going away. */
  draining(): Ref[] {
    return loadAcquire(this.words, this.shared + DRAINING) === 0 ? [] : this.inPhases(PHASE_DRAINING);
  }

  /** True if one is going away. */
  get isDraining(): boolean {
    return loadAcquire(this.words, this.shared + DRAINING) !== 0;
  }

  /**
   * Makes one of that name, or finds the one that another thread made meanwhile. One that was made may have been ended
   * since, by others who found it: it is returned all the same, since what it holds has been let go by then, or will be.
   * `sort`: only records of the same sort are used again for each other. `fill` writes the record's other words.
   * Errors: `limit`.
   */
  protected makeOf(sort: number, name: string, fill: (ref: Ref) => void): Ref {
    const ref = this.reuse(sort) ?? this.firstOf(sort, name);
    writeName(this.words, ref.record + RECORD_NAME, name);
    fill(ref);
    this.set(ref, PHASE_PENDING);
    this.install(ref);
    if (!this.isIn(ref, PHASE_REFUSED)) return ref;
    this.set(ref, PHASE_FREE);
    return this.find(name) ?? this.makeOf(sort, name, fill);
  }

  /** The sort of a record. */
  protected abstract sortOf(record: number): number;

  /** Reserves a record that was never used, and what goes with it. Errors: `limit`. */
  protected abstract append(sort: number, name: string): number;

  isLive(ref: Ref): boolean {
    return this.isIn(ref, PHASE_LIVE);
  }

  /** Ends a live one. False if that has been done. */
  drain(ref: Ref): boolean {
    // before the phase: who sees the one finds the other
    fetchAdd(this.words, this.shared + DRAINING, 1);
    if (this.move(ref, PHASE_LIVE, PHASE_DRAINING)) return true;
    fetchAdd(this.words, this.shared + DRAINING, -1);
    return false;
  }

  /** Claims the last step of one that drains, for one CPU. */
  claimRelease(ref: Ref): boolean {
    return this.move(ref, PHASE_DRAINING, PHASE_RELEASING);
  }

  /** The last step is done: the record may be used again. */
  retire(ref: Ref): void {
    this.set(ref, PHASE_FREE);
    fetchAdd(this.words, this.shared + DRAINING, -1);
  }

  /** True once nothing of that generation is left. */
  isGone(ref: Ref): boolean {
    const state = this.state(ref.record);
    return generationOf(state) !== ref.generation || phaseOf(state) === PHASE_FREE;
  }

  /** Those that a thread was making when it died. While no call is under way anywhere, as all that follows here. */
  unfinished(): Ref[] {
    return this.inPhases(PHASE_FILLING, PHASE_PENDING, PHASE_REFUSED);
  }

  /** Those whose last step a thread was in the middle of when it died. */
  releasing(): Ref[] {
    return this.inPhases(PHASE_RELEASING);
  }

  /** Gives an unfinished one up: it may be used again. */
  abandon(ref: Ref): void {
    this.set(ref, PHASE_FREE);
  }

  /** How many more are going away than is counted. */
  get drainingError(): number {
    const there = this.inPhases(PHASE_DRAINING, PHASE_RELEASING).length;
    return there - loadAcquire(this.words, this.shared + DRAINING);
  }

  correctDraining(delta: number): void {
    fetchAdd(this.words, this.shared + DRAINING, delta);
  }

  /** True if some record is said to be in the middle of being installed. */
  get isInstalling(): boolean {
    return loadAcquire(this.words, this.shared + INSTALLING) !== 0;
  }

  endInstalling(): void {
    storeRelease(this.words, this.shared + INSTALLING, 0);
  }

  private inPhases(...phases: readonly number[]): Ref[] {
    const refs = [];
    for (const record of this.directory.ofKind(this.kind)) {
      const state = this.state(record);
      if (phases.includes(phaseOf(state))) refs.push({ record, generation: generationOf(state) });
    }
    return refs;
  }

  /** Takes a free record of that sort. */
  private reuse(sort: number): Ref | undefined {
    for (const record of this.directory.ofKind(this.kind)) {
      const state = this.state(record);
      const next = stateOf(generationOf(state) + 1, PHASE_FILLING);
      if (phaseOf(state) !== PHASE_FREE || this.sortOf(record) !== sort) continue;
      // pairs with retire: the record and what goes with it are this CPU's to fill
      if (cmpxchg(this.words, record + RECORD_STATE, state, next) === state)
        return { record, generation: generationOf(next) };
    }
    return undefined;
  }

  /** The first generation of a new record. */
  private firstOf(sort: number, name: string): Ref {
    const ref = { record: this.append(sort, name), generation: 1 };
    this.set(ref, PHASE_FILLING);
    this.directory.append(ref.record);
    return ref;
  }

  /** Makes a PENDING record LIVE, or REFUSED if its name is taken. */
  private install(ref: Ref): void {
    const mine = this.tokenOf(ref);
    while (this.isIn(ref, PHASE_PENDING)) {
      // pairs with the CAS in settle: one record at a time
      const there = cmpxchg(this.words, this.shared + INSTALLING, 0, mine);
      this.settle(there === 0 ? mine : there);
    }
  }

  /** Decides about the record that INSTALLING names; any CPU may, they all come to the same. */
  private settle(token: number): void {
    const record = this.directory.recordAt((token & ((1 << TOKEN_SHIFT) - 1)) - 1);
    const state = this.state(record);
    const ref = { record, generation: generationOf(state) };
    if (phaseOf(state) === PHASE_PENDING && this.tokenOf(ref) === token) {
      const isTaken = this.find(this.directory.nameOf(record)) !== undefined;
      this.move(ref, PHASE_PENDING, isTaken ? PHASE_REFUSED : PHASE_LIVE);
    }
    cmpxchg(this.words, this.shared + INSTALLING, token, 0);
  }

  private tokenOf({ record, generation }: Ref): number {
    return ((generation & TOKEN_GENERATIONS) << TOKEN_SHIFT) | (this.directory.indexOf(record) + 1);
  }

  private isIn({ record, generation }: Ref, phase: number): boolean {
    return this.state(record) === stateOf(generation, phase);
  }

  private move({ record, generation }: Ref, from: number, to: number): boolean {
    const before = stateOf(generation, from);
    // pairs with the loads of STATE: publishes the record's words, or that nobody uses them any more
    const there = cmpxchg(this.words, record + RECORD_STATE, before, stateOf(generation, to));
    return there === before;
  }

  private set({ record, generation }: Ref, phase: number): void {
    storeRelease(this.words, record + RECORD_STATE, stateOf(generation, phase));
  }

  private state(record: number): number {
    return loadAcquire(this.words, record + RECORD_STATE);
  }
}

function stateOf(generation: number, phase: number): number {
  return (generation << PHASE_SHIFT) | phase;
}

function phaseOf(state: number): number {
  return state & PHASE_MASK;
}

function generationOf(state: number): number {
  return state >>> PHASE_SHIFT;
}
