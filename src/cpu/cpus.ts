/**
 * The CPUs of a heap: which are online, and since when. A thread becomes a CPU by one CAS on a
 * free slot; the generation, counted up by each attach, tells its CPU from the slot's earlier ones.
 *
 * Progress: attach looks at each slot once, with one CAS: wait-free.
 */
import { cmpxchg, loadAcquire, storeRelease, type Words, xchg } from "#primitive";
import { type Memblock, readName, SharedHeapError, writeName } from "../arena/index.ts";
import {
  CPU_DEAD,
  CPU_DYING,
  CPU_FREE,
  CPU_ONLINE,
  CPU_REAPING,
  GENERATION_MASK,
  REAPER_SHIFT,
  SLOT_CALL,
  SLOT_NAME,
  SLOT_STATE,
  SLOT_THREAD,
  SLOT_WATCHED,
  SLOT_WORDS,
  STATE_BITS,
  STATE_MASK,
} from "./layout.ts";

/** What others can see of a CPU. */
export interface CpuInfo {
  readonly cpu: number;
  readonly state: "free" | "online" | "dying" | "dead" | "reaping";
  /** Counted up by each attach; 0 if no thread ever had this CPU. */
  readonly generation: number;
  /** The name given at attach. */
  readonly name: string;
}

/** A claim: CLAIM_SIGN | generation << CLAIM_SHIFT | cpu. */
const CLAIM_SIGN = 1 << 30;
const CLAIM_SHIFT = 6;
const CLAIM_CPU_MASK = 0x3f;
const STATE_NAMES = ["free", "online", "dying", "dead", "reaping"] as const;

export class Cpus {
  readonly words: Words;
  readonly maxCpus: number;
  private readonly slots: number;
  private readonly usedWord: number;

  constructor(words: Words, maxCpus: number, memblock: Memblock) {
    this.words = words;
    this.maxCpus = maxCpus;
    this.slots = memblock.reserve(maxCpus * SLOT_WORDS);
    this.usedWord = memblock.reserve(1);
  }

  /** CPUs from this number on have never been taken: loops over all CPUs may end before them. */
  get used(): number {
    // pairs with raiseUsed: a CPU not counted yet does its first step after this
    return loadAcquire(this.words, this.usedWord);
  }

  /** Takes a free CPU for this thread, whose number is `thread`. Returns the CPU's. Errors: `full`, with who has them. */
  attach(name: string, thread = 0): number {
    for (let cpu = 0; cpu < this.maxCpus; cpu++) {
      if (this.take(cpu, thread)) {
        this.raiseUsed(cpu + 1);
        writeName(this.words, this.slotOf(cpu) + SLOT_NAME, name);
        return cpu;
      }
    }
    const holders = this.list().map(({ cpu, name, state }) => {
      return `CPU ${cpu} ${name || "(no name)"}${state === "online" ? "" : `, ${state}`}`;
    });
    throw new SharedHeapError(
      "full",
      `all ${this.maxCpus} CPUs are taken (${holders.join("; ")}): detach a thread, reap() those that have ended, ` +
        "or raise maxCpus in SharedHeap.create()",
    );
  }

  /** A thread that has a number says so first: from the step on that makes the CPU its own, its end can be seen. */
  private take(cpu: number, thread: number): boolean {
    const at = this.slotOf(cpu) + SLOT_STATE;
    const by = this.slotOf(cpu) + SLOT_THREAD;
    const state = loadAcquire(this.words, at);
    if ((state & STATE_MASK) !== CPU_FREE) return false;
    // pairs with itself on other CPUs, and with finishDetach: another thread takes it, or the last one is about to be gone
    if (thread !== 0 && cmpxchg(this.words, by, 0, thread) !== 0) return false;
    const generation = (generationOf(state) + 1) & GENERATION_MASK;
    // pairs with finishDetach: the new owner sees all that the last one left in the area
    const isOurs = cmpxchg(this.words, at, state, (generation << STATE_BITS) | CPU_ONLINE) === state;
    if (!isOurs && thread !== 0) storeRelease(this.words, by, 0);
    return isOurs;
  }

  /** A CAS fails only because another CPU has raised the number: at most maxCpus rounds. */
  private raiseUsed(to: number): void {
    for (let used = this.used; used < to; used = this.used) {
      // pairs with the load in `used`
      cmpxchg(this.words, this.usedWord, used, to);
    }
  }

  /** From here on others see that the CPU is going. Its owner calls this. */
  beginDetach(cpu: number): void {
    this.setState(cpu, CPU_DYING);
  }

  /** Gives the slot back. Its owner, whose number is `thread`, calls this, last of all. */
  finishDetach(cpu: number, thread = 0): void {
    this.setState(cpu, CPU_FREE);
    // second: if the thread ends in between, its number says who that was. Pairs with the CAS in take
    if (thread !== 0) storeRelease(this.words, this.slotOf(cpu) + SLOT_THREAD, 0);
  }

  /** A thread has ended which had said that it takes a free CPU, or had given one back, and got no further. */
  forgetThread(cpu: number, thread: number): void {
    // pairs with the CAS in take. It fails if another one that saw its end has done it
    cmpxchg(this.words, this.slotOf(cpu) + SLOT_THREAD, thread, 0);
  }

  private setState(cpu: number, state: number): void {
    const at = this.slotOf(cpu) + SLOT_STATE;
    const before = loadAcquire(this.words, at);
    // pairs with `take`; only the owner changes the slot of a CPU that is not free
    storeRelease(this.words, at, (before & ~STATE_MASK) | state);
  }

  generationOf(cpu: number): number {
    return generationOf(this.stateOf(cpu));
  }

  /** True while the thread that made `generation` of a CPU has it. */
  isOnline(cpu: number, generation: number): boolean {
    const state = this.stateOf(cpu);
    const phase = state & STATE_MASK;
    return (phase === CPU_ONLINE || phase === CPU_DYING) && generationOf(state) === generation;
  }

  /**
   * Says that the thread which has a CPU is surely gone: it will not take another step. From here on what it had
   * claimed may be taken over, and its read sections count as ended. False if that generation has gone already.
   */
  markDead(cpu: number, generation: number): boolean {
    const at = this.slotOf(cpu) + SLOT_STATE;
    const state = loadAcquire(this.words, at);
    if (!this.isOnline(cpu, generation)) return false;
    // pairs with the loads in isDead and isOnline: all that the thread did comes before
    return cmpxchg(this.words, at, state, (generation << STATE_BITS) | CPU_DEAD) === state;
  }

  /** True from markDead on, until its reaper gives the slot back. */
  isDead(cpu: number): boolean {
    // pairs with markDead
    const phase = this.stateOf(cpu) & STATE_MASK;
    return phase === CPU_DEAD || phase === CPU_REAPING;
  }

  /**
   * Makes `by` the reaper of a dead CPU: what that had is its own from here on. False if the CPU is not dead, or another
   * one reaps it, and lives. (Its own reaper may begin again.)
   */
  beginReap(cpu: number, by: number): boolean {
    const state = this.stateOf(cpu);
    const phase = state & STATE_MASK;
    const reaper = state >>> REAPER_SHIFT;
    const isOrphan = phase === CPU_REAPING && (reaper === by || this.isDead(reaper));
    if (phase !== CPU_DEAD && !isOrphan) return false;
    const next = (by << REAPER_SHIFT) | (generationOf(state) << STATE_BITS) | CPU_REAPING;
    // pairs with itself, on other CPUs: one of them does it. All that the dead CPU, or its dead reaper, did comes before.
    return cmpxchg(this.words, this.slotOf(cpu) + SLOT_STATE, state, next) === state;
  }

  /** The CPUs that `by` is reaping. */
  reapedBy(by: number): number[] {
    return Array.from({ length: this.used }, (_, cpu) => cpu).filter((cpu) => {
      const state = this.stateOf(cpu);
      return (state & STATE_MASK) === CPU_REAPING && state >>> REAPER_SHIFT === by;
    });
  }

  /** Gives the slot of a reaped CPU back. Its reaper calls this, last of all. */
  endReap(cpu: number): void {
    const free = (this.generationOf(cpu) << STATE_BITS) | CPU_FREE;
    // first: a reaper that ends in between is reaped, and this done again. Pairs with the CAS in take
    if (this.threadOf(cpu) !== 0) storeRelease(this.words, this.slotOf(cpu) + SLOT_THREAD, 0);
    // pairs with take: only the reaper changes the slot while it lives
    storeRelease(this.words, this.slotOf(cpu) + SLOT_STATE, free);
  }

  /** Names a CPU and its generation, in taker words. Not 0. */
  claimOf(cpu: number, generation = this.generationOf(cpu)): number {
    return CLAIM_SIGN | (generation << CLAIM_SHIFT) | cpu;
  }

  /** Whom a claim names. */
  holderOf(claim: number): { cpu: number; generation: number } {
    return { cpu: claim & CLAIM_CPU_MASK, generation: (claim & ~CLAIM_SIGN) >>> CLAIM_SHIFT };
  }

  /** True once the thread that a claim names is gone. */
  isStale(claim: number): boolean {
    const { cpu, generation } = this.holderOf(claim);
    return !this.isOnline(cpu, generation);
  }

  /** Asks other CPUs to do work of this one. Any context. */
  callHelp(cpu: number): void {
    // pairs with takeCall: publishes what is asked for
    storeRelease(this.words, this.slotOf(cpu) + SLOT_CALL, 1);
  }

  /** True if a CPU has called for help; one of those who ask gets to know. Any CPU. */
  takeCall(cpu: number): boolean {
    const at = this.slotOf(cpu) + SLOT_CALL;
    return loadAcquire(this.words, at) !== 0 && xchg(this.words, at, 0) !== 0;
  }

  /** All possible CPUs. Any thread. */
  list(): CpuInfo[] {
    return Array.from({ length: this.maxCpus }, (_, cpu) => {
      const slot = this.slotOf(cpu);
      const state = loadAcquire(this.words, slot + SLOT_STATE);
      return {
        cpu,
        state: STATE_NAMES[state & STATE_MASK] ?? "free",
        generation: generationOf(state),
        name: readName(this.words, slot + SLOT_NAME),
      };
    });
  }

  /** The number of the thread that has a CPU, or is about to take it; 0: not known. */
  threadOf(cpu: number): number {
    // pairs with the CAS in take
    return loadAcquire(this.words, this.slotOf(cpu) + SLOT_THREAD);
  }

  /** This CPU's thread has something that its end will show. Its owner calls this. */
  sayWatched(cpu: number): void {
    // pairs with isWatched: whoever sees it may conclude from what the thread does not have any more
    storeRelease(this.words, this.slotOf(cpu) + SLOT_WATCHED, this.generationOf(cpu) + 1);
  }

  /** True once the thread that made `generation` of a CPU has said so. */
  isWatched(cpu: number, generation: number): boolean {
    // pairs with sayWatched
    return loadAcquire(this.words, this.slotOf(cpu) + SLOT_WATCHED) === generation + 1;
  }

  /** The name that a CPU's thread gave it. */
  nameOf(cpu: number): string {
    return readName(this.words, this.slotOf(cpu) + SLOT_NAME);
  }

  private slotOf(cpu: number): number {
    return this.slots + cpu * SLOT_WORDS;
  }

  private stateOf(cpu: number): number {
    return loadAcquire(this.words, this.slotOf(cpu) + SLOT_STATE);
  }
}

/** The generation in a slot's state. */
function generationOf(state: number): number {
  return (state >>> STATE_BITS) & GENERATION_MASK;
}
