/**
 * The registry: which allocators there are, by name. Their records live in the directory and are never given
 * back to it, but used again: STATE is a generation and a phase,
 *
 *     FREE -> FILLING -> PENDING -> LIVE -> DRAINING -> RELEASING -> FREE, next generation
 *                           \--> FREE: another one of that name was there first
 *
 * A new record becomes LIVE while INSTALLING names it, one at a time, so that no two of a name do. Whoever
 * wants to install and finds another one there finishes that first: nobody waits.
 *
 * Progress: find is wait-free; make is lock-free (each further round is owed to an installed record).
 */
import { cmpxchg, fetchAdd, loadAcquire, storeRelease, type Words } from "#primitive";
import { type Directory, nameIs, writeName } from "../arena/index.ts";
import { KIND_ALLOCATOR, RECORD_DATA, RECORD_NAME } from "../arena/layout.ts";
import type { PercpuAreas } from "../cpu/index.ts";
import {
  ALLOC_PERCPU,
  ALLOC_SIZE,
  ALLOC_STATE,
  CACHE_WORDS,
  DRAINING,
  INSTALLING,
  PHASE_DRAINING,
  PHASE_FILLING,
  PHASE_FREE,
  PHASE_LIVE,
  PHASE_MASK,
  PHASE_PENDING,
  PHASE_RELEASING,
  PHASE_SHIFT,
} from "./layout.ts";
import { ALL_CACHES_WORDS } from "./sizes.ts";

/** An allocator's record in one of its generations. */
export interface Ref {
  readonly record: number;
  readonly generation: number;
}

/** Generations that INSTALLING tells apart: a helper would have to stall through so many lives of one record. */
const TOKEN_GENERATIONS = 0x3fff;
const TOKEN_SHIFT = 17;

export class Registry {
  private readonly words: Words;
  private readonly directory: Directory;
  private readonly areas: PercpuAreas;
  private readonly shared: number;

  /** `shared`: the layer's words of the whole heap. */
  constructor(directory: Directory, areas: PercpuAreas, shared: number) {
    this.words = directory.words;
    this.areas = areas;
    this.directory = directory;
    this.shared = shared;
  }

  /** The live allocator of that name. */
  find(name: string): Ref | undefined {
    for (const record of this.directory.ofKind(KIND_ALLOCATOR)) {
      const state = this.state(record);
      const isIt = phaseOf(state) === PHASE_LIVE && nameIs(this.words, record + RECORD_NAME, name);
      // looked at again: the name may have been another one's by the time it was read
      if (isIt && this.state(record) === state) return { record, generation: generationOf(state) };
    }
    return undefined;
  }

  /** Every allocator that has caches: live ones, and those that are going away. */
  list(): Ref[] {
    return this.inPhases(PHASE_LIVE, PHASE_DRAINING);
  }

  /** The names of those that can be found. */
  liveNames(): string[] {
    return this.inPhases(PHASE_LIVE).map(({ record }) => this.directory.nameOf(record));
  }

  /** Those that are going away. */
  draining(): Ref[] {
    return loadAcquire(this.words, this.shared + DRAINING) === 0 ? [] : this.inPhases(PHASE_DRAINING);
  }

  /** True if some allocator is going away. */
  get isDraining(): boolean {
    return loadAcquire(this.words, this.shared + DRAINING) !== 0;
  }

  /**
   * Makes an allocator of that name, of `size` bytes or any size (0), or finds one that another thread made
   * meanwhile. `fill` writes the record's other words. Errors: `limit`.
   */
  make(name: string, size: number, fill: (ref: Ref) => void): Ref {
    const ref = this.reuse(size) ?? this.append(name, size);
    writeName(this.words, ref.record + RECORD_NAME, name);
    fill(ref);
    this.set(ref, PHASE_PENDING);
    this.install(ref);
    if (this.isIn(ref, PHASE_LIVE)) return ref;
    return this.find(name) ?? this.make(name, size, fill);
  }

  isLive(ref: Ref): boolean {
    return this.isIn(ref, PHASE_LIVE);
  }

  /** Ends an allocator's life. False if that has been done. */
  drain(ref: Ref): boolean {
    // before the phase: who sees the one finds the other
    fetchAdd(this.words, this.shared + DRAINING, 1);
    if (this.move(ref, PHASE_LIVE, PHASE_DRAINING)) return true;
    fetchAdd(this.words, this.shared + DRAINING, -1);
    return false;
  }

  /** Claims the last step of an allocator that drains, for one CPU. */
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

  private inPhases(...phases: readonly number[]): Ref[] {
    const refs = [];
    for (const record of this.directory.ofKind(KIND_ALLOCATOR)) {
      const state = this.state(record);
      if (phases.includes(phaseOf(state))) refs.push({ record, generation: generationOf(state) });
    }
    return refs;
  }

  /** Takes a free record of that sort: any-size ones have more caches. */
  private reuse(size: number): Ref | undefined {
    for (const record of this.directory.ofKind(KIND_ALLOCATOR)) {
      const state = this.state(record);
      const fits = (this.directory.load(record, RECORD_DATA + ALLOC_SIZE) === 0) === (size === 0);
      const next = stateOf(generationOf(state) + 1, PHASE_FILLING);
      if (phaseOf(state) !== PHASE_FREE || !fits) continue;
      // pairs with retire: the record and its caches are this CPU's to fill
      if (cmpxchg(this.words, record + RECORD_DATA + ALLOC_STATE, state, next) === state)
        return { record, generation: generationOf(next) };
    }
    return undefined;
  }

  /** A record that was never used, with caches of its own on each CPU. */
  private append(name: string, size: number): Ref {
    this.directory.checkRoom(name);
    const percpu = this.areas.reserve(size === 0 ? ALL_CACHES_WORDS : CACHE_WORDS);
    const record = this.directory.reserve(KIND_ALLOCATOR, name);
    this.directory.store(record, RECORD_DATA + ALLOC_SIZE, size);
    this.directory.store(record, RECORD_DATA + ALLOC_PERCPU, percpu);
    const ref = { record, generation: 1 };
    this.set(ref, PHASE_FILLING);
    this.directory.append(record);
    return ref;
  }

  /** Makes a PENDING record LIVE, or FREE if its name is taken. */
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
      this.move(ref, PHASE_PENDING, isTaken ? PHASE_FREE : PHASE_LIVE);
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
    const there = cmpxchg(this.words, record + RECORD_DATA + ALLOC_STATE, before, stateOf(generation, to));
    return there === before;
  }

  private set({ record, generation }: Ref, phase: number): void {
    storeRelease(this.words, record + RECORD_DATA + ALLOC_STATE, stateOf(generation, phase));
  }

  private state(record: number): number {
    return loadAcquire(this.words, record + RECORD_DATA + ALLOC_STATE);
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
