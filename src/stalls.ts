/**
 * Stalls: read sections that a grace period waits for, as this thread sees them when it polls. Durations are
 * counted in its polls, and by a clock that it is given; both begin when it first saw that section in the way.
 */
import type { Booted } from "./boot.ts";
import { type Flavour, RCU, TRACE } from "./rcu/index.ts";

/** A read section that a grace period waits for. */
export interface Stall {
  readonly flavour: "rcu" | "tasks-trace";
  /** The CPU that it is open on, and that CPU's name. */
  readonly cpu: number;
  readonly name: string;
  /** For how many polls of this thread, and for how many milliseconds. */
  readonly polls: number;
  readonly ms: number;
  /** In debug heaps: where the sections of that flavour which are open on that CPU began. */
  readonly openedAt?: readonly string[];
}

/** What this thread knows of a CPU's sections of one flavour. */
interface Seen {
  /** Names the section that is in the way; 0: none is. */
  section: number;
  polls: number;
  since: number;
  /** A stall of that many milliseconds is told. */
  tellAt: number;
}

interface Listener {
  readonly fn: (stall: Stall) => void;
}

const NAMES = ["rcu", "tasks-trace"] as const;

export class Stalls {
  private readonly system: Booted;
  private readonly clock: () => number;
  private readonly seen: readonly (readonly Seen[])[];
  private readonly tellAfter: number;
  private listeners: readonly Listener[] = [];

  /** `clock` counts milliseconds. A section in the way for `tellAfter` of them is told, and again each time that has doubled. */
  constructor(system: Booted, clock: () => number, tellAfter: number) {
    this.system = system;
    this.clock = clock;
    this.tellAfter = tellAfter;
    const { maxCpus } = system.cpus;
    const none = (): Seen => ({ section: 0, polls: 0, since: 0, tellAt: 0 });
    this.seen = NAMES.map(() => Array.from({ length: maxCpus }, none));
  }

  /** `fn` is called in polls. Returns what ends that. */
  listen(fn: (stall: Stall) => void): () => void {
    const listener = { fn };
    this.listeners = [...this.listeners, listener];
    return () => {
      this.listeners = this.listeners.filter((each) => each !== listener);
    };
  }

  /** A poll after which something still waits for grace periods. */
  look(): void {
    for (let cpu = 0; cpu < this.system.cpus.used; cpu++) {
      this.lookAt(RCU, cpu, this.system.rcu.blocking(cpu));
      this.lookAt(TRACE, cpu, this.system.trace.blocking(cpu));
    }
  }

  /** A poll after which nothing does. */
  clear(): void {
    // by index: iterators would be garbage, and threads in real time poll
    for (let cpu = 0; cpu < this.system.cpus.used; cpu++) {
      this.lookAt(RCU, cpu, 0);
      this.lookAt(TRACE, cpu, 0);
    }
  }

  /** The sections that were in the way at the last poll. */
  list(): Stall[] {
    const stalls: Stall[] = [];
    for (const flavour of [RCU, TRACE]) {
      this.seen[flavour].forEach(({ section }, cpu) => {
        if (section !== 0) stalls.push(this.describe(flavour, cpu));
      });
    }
    return stalls;
  }

  private lookAt(flavour: Flavour, cpu: number, section: number): void {
    const seen = this.seen[flavour][cpu];
    if (section === 0 || section !== seen.section) {
      seen.section = section;
      seen.polls = 0;
      seen.since = section === 0 ? 0 : this.clock();
      seen.tellAt = this.tellAfter;
      return;
    }
    seen.polls++;
    if (this.clock() - seen.since < seen.tellAt) return;
    seen.tellAt *= 2;
    const stall = this.describe(flavour, cpu);
    for (const { fn } of this.listeners) fn(stall);
  }

  private describe(flavour: Flavour, cpu: number): Stall {
    const { polls, since } = this.seen[flavour][cpu];
    const name = this.system.cpus.nameOf(cpu);
    const stall = { flavour: NAMES[flavour], cpu, name, polls, ms: this.clock() - since };
    const sections = this.system.debug?.sections;
    if (sections === undefined) return stall;
    return { ...stall, openedAt: flavour === RCU ? sections.rcuOn(cpu) : sections.traceOn(cpu) };
  }
}
