/**
 * Where the read sections of each CPU were opened, for those who are told that one was left open or is waited for. Kept
 * for the first SECTIONS_MAX of each kind that are open at once.
 */
import { loadAcquire, storeRelease, type Words } from "#primitive";
import type { Cpus, PercpuAreas, Tracepoints } from "../cpu/index.ts";
import { Rcu, type RcuPlace, TasksTrace } from "../rcu/index.ts";
import { RCU_DEPTH, RCU_SITES, SECTIONS_MAX, SECTIONS_WORDS, TRACE_SITES } from "./layout.ts";
import type { Sites } from "./sites.ts";

export class Sections {
  private readonly words: Words;
  private readonly first: number;
  private readonly sites: Sites;

  /** `first`: the words of CPU 0. */
  constructor(words: Words, first: number, sites: Sites) {
    this.words = words;
    this.first = first;
    this.sites = sites;
  }

  /** A thread has taken the CPU: it is in no section. */
  reset(cpu: number): void {
    for (let i = 0; i < SECTIONS_WORDS; i++) storeRelease(this.words, this.of(cpu) + i, 0);
  }

  /** An RCU section began on this thread's CPU, or one in it. */
  locked(cpu: number): void {
    const at = this.of(cpu);
    const depth = loadAcquire(this.words, at + RCU_DEPTH);
    if (depth < SECTIONS_MAX) storeRelease(this.words, at + RCU_SITES + depth, this.sites.here());
    storeRelease(this.words, at + RCU_DEPTH, depth + 1);
  }

  /** The innermost one ended. */
  unlocked(cpu: number): void {
    const at = this.of(cpu) + RCU_DEPTH;
    storeRelease(this.words, at, loadAcquire(this.words, at) - 1);
  }

  /** A tasks-trace section began. Returns its slot + 1; 0: there is none left. */
  entered(cpu: number): number {
    for (let slot = 0; slot < SECTIONS_MAX; slot++) {
      const at = this.of(cpu) + TRACE_SITES + slot;
      if (loadAcquire(this.words, at) !== 0) continue;
      storeRelease(this.words, at, this.sites.here() + 1);
      return slot + 1;
    }
    return 0;
  }

  /** False if the one with that slot + 1 has ended. */
  isOpen(cpu: number, ticket: number): boolean {
    return ticket <= SECTIONS_MAX && loadAcquire(this.words, this.of(cpu) + TRACE_SITES + ticket - 1) !== 0;
  }

  /** It ended. */
  exited(cpu: number, ticket: number): void {
    if (ticket !== 0) storeRelease(this.words, this.of(cpu) + TRACE_SITES + ticket - 1, 0);
  }

  /** Where the RCU sections of a CPU were opened, the outermost first. */
  rcuOn(cpu: number): string[] {
    const at = this.of(cpu);
    const length = Math.min(Math.max(loadAcquire(this.words, at + RCU_DEPTH), 0), SECTIONS_MAX);
    return Array.from({ length }, (_, i) => this.sites.text(loadAcquire(this.words, at + RCU_SITES + i)));
  }

  /** Where its tasks-trace sections were. */
  traceOn(cpu: number): string[] {
    const at = this.of(cpu) + TRACE_SITES;
    const marks = Array.from({ length: SECTIONS_MAX }, (_, slot) => loadAcquire(this.words, at + slot));
    return marks.filter((mark) => mark !== 0).map((mark) => this.sites.text(mark - 1));
  }

  /** Both. */
  allOn(cpu: number): string[] {
    return [...this.rcuOn(cpu), ...this.traceOn(cpu)];
  }

  private of(cpu: number): number {
    return this.first + cpu * SECTIONS_WORDS;
  }
}

/** Where in what `enter` returns the section's ticket is: above what lies near the phases. */
const TICKET_SHIFT = 10;

/** RCU that knows where its sections were opened. */
export class DebugRcu extends Rcu {
  private readonly sections: Sections;
  private readonly cpu: number;

  constructor(
    sections: Sections,
    ...args: [place: RcuPlace, cpu: number, cpus: Cpus, areas: PercpuAreas, tracepoints: Tracepoints]
  ) {
    super(...args);
    this.sections = sections;
    this.cpu = args[1];
  }

  override readLock(): void {
    super.readLock();
    this.sections.locked(this.cpu);
  }

  override readUnlock(): void {
    super.readUnlock();
    this.sections.unlocked(this.cpu);
  }
}

/** Tasks trace that does. What `enter` returns is the phase, and which section it is. */
export class DebugTasksTrace extends TasksTrace {
  private readonly sections: Sections;
  private readonly cpu: number;

  constructor(sections: Sections, ...args: [place: RcuPlace, cpu: number, cpus: Cpus, areas: PercpuAreas]) {
    super(...args);
    this.sections = sections;
    this.cpu = args[1];
  }

  override enter(): number {
    return super.enter() | (this.sections.entered(this.cpu) << TICKET_SHIFT);
  }

  override exit(phase: number): void {
    const ticket = phase >>> TICKET_SHIFT;
    if (ticket === 0) super.exit(phase);
    // a section that has ended has no phase
    else super.exit(this.sections.isOpen(this.cpu, ticket) ? phase - (ticket << TICKET_SHIFT) : Number.NaN);
    this.sections.exited(this.cpu, ticket);
  }
}
