/** Random read sections on several CPUs, and a model that knows which are open. */
import fc from "fast-check";
import type { Booted } from "#src/boot.js";
import { LOCAL_TRACE, RCU_SEQ, TRACE_SEQ } from "#src/rcu/layout.js";
import { newCpus } from "../support/heaps.ts";

/**
 * `lock` to `unlock`: RCU, nested. `enter` to `exit`: tasks trace, ended in any order. `read` to `count`: the two
 * halves of an `enter` that was stopped in between.
 */
export interface ReaderStep {
  readonly kind: "lock" | "unlock" | "enter" | "exit" | "read" | "count";
  readonly cpu: number;
  readonly pick: number;
}

/** Steps of readers on CPUs 0 to `cpus` - 1. */
export function readerStep(cpus: number): fc.Arbitrary<ReaderStep> {
  return fc.record({
    kind: fc.constantFrom("lock", "unlock", "unlock", "enter", "exit", "exit", "read", "count"),
    cpu: fc.nat(cpus - 1),
    pick: fc.nat(7),
  });
}

/** Numbers of periods to begin with: the first one, and some after which a sign or the number comes round. */
export const firstNumber: fc.Arbitrary<number> = fc.constantFrom(1, 2 ** 31 - 5, 2 ** 31 - 3, -5, -3, -1);

/** Sections that were open at some moment. */
export interface Moment {
  readonly rcu: ReadonlySet<number>;
  readonly trace: ReadonlySet<number>;
}

interface TraceReader {
  readonly cpu: number;
  readonly phase: number;
  readonly id: number;
}

export class Readers {
  readonly cpus: readonly Booted[];
  private readonly depth: number[];
  /** The outermost RCU section of each CPU. */
  private readonly rcu: number[];
  private readonly trace: TraceReader[] = [];
  /** Those that have read the phase and not counted themselves. */
  private readonly stopped: TraceReader[] = [];
  private sections = 0;

  constructor(cpus: readonly Booted[]) {
    this.cpus = cpus;
    this.depth = cpus.map(() => 0);
    this.rcu = cpus.map(() => 0);
  }

  step({ kind, cpu, pick }: ReaderStep): void {
    const { rcu, trace } = this.cpus[cpu];
    if (kind === "lock") {
      rcu.readLock();
      if (this.depth[cpu]++ === 0) this.rcu[cpu] = ++this.sections;
    } else if (kind === "unlock" && this.depth[cpu] > 0) {
      rcu.readUnlock();
      this.depth[cpu]--;
    } else if (kind === "enter") {
      this.trace.push({ cpu, phase: trace.enter(), id: ++this.sections });
    } else if (kind === "exit") {
      this.exit(pick);
    } else if (kind === "read") {
      this.stopped.push({ cpu, phase: seqOf(this.cpus[0], TRACE_SEQ) & 1, id: 0 });
    } else if (kind === "count") {
      this.count(pick);
    }
  }

  /** The sections that are open now. */
  now(): Moment {
    return {
      rcu: new Set(this.rcu.filter((_, cpu) => this.depth[cpu] > 0)),
      trace: new Set(this.trace.map(({ id }) => id)),
    };
  }

  /** True if all sections of `before` have ended, of each kind that is asked for. */
  isOver(before: Moment, kinds: { readonly rcu: boolean; readonly trace: boolean }): boolean {
    const now = this.now();
    return (
      !(kinds.rcu && [...before.rcu].some((id) => now.rcu.has(id))) &&
      !(kinds.trace && [...before.trace].some((id) => now.trace.has(id)))
    );
  }

  /** Ends all sections. */
  endAll(): void {
    this.depth.forEach((depth, cpu) => {
      for (let i = 0; i < depth; i++) this.step({ kind: "unlock", cpu, pick: 0 });
    });
    while (this.trace.length > 0) this.exit(0);
  }

  private exit(pick: number): void {
    const [reader] = this.trace.splice(pick % (this.trace.length || 1), 1);
    if (reader !== undefined) this.cpus[reader.cpu].trace.exit(reader.phase);
  }

  private count(pick: number): void {
    const [reader] = this.stopped.splice(pick % (this.stopped.length || 1), 1);
    if (reader === undefined) return;
    const { areas, rcuPlace, arena } = this.cpus[0];
    Atomics.add(arena.words, areas.areaOf(reader.cpu) + rcuPlace.local + LOCAL_TRACE + reader.phase, 1);
    this.trace.push({ ...reader, id: ++this.sections });
  }
}

/** CPUs of a heap whose periods begin with number `first`, which is odd. */
export function cpusFrom(first: number, count = 3): [Booted, ...Booted[]] {
  const cpus = newCpus(count, { maxCpus: count + 1, bytes: 2 ** 20 });
  setSeq(cpus[0], RCU_SEQ, first);
  setSeq(cpus[0], TRACE_SEQ, first);
  return cpus;
}

/** The number of the period that is running: RCU_SEQ or TRACE_SEQ. */
export function seqOf({ arena, rcuPlace }: Booted, which: number): number {
  return Atomics.load(arena.words, rcuPlace.shared + which);
}

export function setSeq({ arena, rcuPlace }: Booted, which: number, value: number): void {
  Atomics.store(arena.words, rcuPlace.shared + which, value);
}

/** A word of the rcu layer in the area of a CPU. */
export function localWord({ areas, rcuPlace }: Booted, cpu: number, at: number): number {
  return areas.areaOf(cpu) + rcuPlace.local + at;
}
