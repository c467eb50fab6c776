/**
 * Read sections against an updater, for both kinds of grace periods: one slot that points at an object, readers
 * that look at the object, an updater that replaces it and uses the old one again when that is allowed. What
 * the oracle knows is kept in the model's memory, in words that readers and updater touch atomically.
 */
import type { Booted } from "#src/boot.js";
import { loadAcquire, readPrivate, storeRelease, writePrivate } from "../engine/primitive.ts";
import type { Call, Prepared } from "../engine/scenario.ts";
import { Violation } from "../engine/violation.ts";
import type { Library } from "../library.ts";
import { checkSound } from "../oracles/books.ts";
import { bootCpus, freeWords } from "./small-heap.ts";

/** Words of an object: what its readers look at, and whether it is another one by now. */
const PAYLOAD = 0;
const REUSED = 1;
const OBJECTS = 3;

interface Retired {
  readonly object: number;
  readonly target: number;
}

export interface ReaderOptions {
  readonly flavour: "rcu" | "tasks-trace";
  readonly cpus: number;
  /** The last CPU attaches during the run. */
  readonly late?: boolean;
  /** What the number of the grace period is at first. */
  readonly first?: number;
}

export class Readers implements Prepared {
  readonly words: Int32Array;
  readonly cpus: number;
  readonly nested: readonly Call[];
  readonly calls: Record<"read" | "readTwice" | "replace" | "reuse" | "drive" | "attach", Call>;
  private readonly library: Library;
  private readonly booted: readonly Booted[];
  private readonly isTrace: boolean;
  private readonly slot: number;
  private readonly objects: readonly number[];
  private published = 0;
  private retired: Retired[] = [];

  constructor(library: Library, options: ReaderOptions) {
    this.library = library;
    this.cpus = options.cpus;
    this.isTrace = options.flavour === "tasks-trace";
    this.booted = bootCpus(library, options.cpus, 24);
    const [system] = this.booted;
    this.words = system.arena.words;
    const [slot, ...objects] = freeWords(system, 1 + OBJECTS);
    this.slot = slot;
    this.objects = objects;
    this.words[slot] = objects[0] * 4;
    for (const object of objects) this.words[object + PAYLOAD] = object;
    if (options.first !== undefined) this.begin(options.first);
    if (options.late === true) this.sendAway(options.cpus - 1);
    this.calls = this.makeCalls();
    const [read] = [this.calls.read];
    this.nested = [{ name: "nested read", run: (cpu) => this.inNmi(cpu, () => read.run(cpu, 0)) }];
  }

  reset(): void {
    this.published = 0;
    this.retired = [];
  }

  fingerprint(cpu: number): number {
    if (cpu !== 0) return 0;
    return this.retired.reduce((hash, { object, target }) => hash * 31 + object + target, this.published);
  }

  finish(): void {
    checkSound(this.library, this.booted[0]);
  }

  private begin(first: number): void {
    const { RCU_SEQ, TRACE_SEQ } = this.library.rcuLayout;
    this.words[this.booted[0].rcuPlace.shared + (this.isTrace ? TRACE_SEQ : RCU_SEQ)] = first;
  }

  /** As if it had never been there. */
  private sendAway(cpu: number): void {
    const { cpus } = this.booted[0];
    cpus.finishDetach(cpu);
    this.words[(cpus as unknown as { usedWord: number }).usedWord] = cpu;
  }

  private inNmi(cpu: number, fn: () => number): number {
    return this.booted[cpu].cpu.nested(this.library.cpu.NMI_SHIFT, fn);
  }

  private makeCalls(): Readers["calls"] {
    return {
      read: { name: "read", run: (cpu) => this.inSection(cpu, () => this.look()) },
      readTwice: {
        name: "read, nested in a section",
        run: (cpu) => this.inSection(cpu, () => this.inSection(cpu, () => 0) + this.look()),
      },
      replace: {
        name: "replace",
        begin: () => ++this.published,
        run: (cpu, index) => this.replace(cpu, this.objects[index]),
        done: (_cpu, index, target) => this.retired.push({ object: this.objects[index - 1], target }),
      },
      reuse: {
        name: "reuse",
        run: (cpu) => this.reuse(cpu),
        done: (_cpu, _argument, isReused) => {
          if (isReused === 1) this.retired.shift();
        },
      },
      drive: {
        name: "drive",
        run: (cpu) => Number(this.periods(cpu).drive(this.periods(cpu).target())),
      },
      attach: { name: "attach", run: (cpu) => this.booted[cpu].cpus.attach("") },
    };
  }

  private periods(cpu: number): Booted["rcu"] | Booted["trace"] {
    return this.isTrace ? this.booted[cpu].trace : this.booted[cpu].rcu;
  }

  private inSection(cpu: number, look: () => number): number {
    const { rcu, trace } = this.booted[cpu];
    if (this.isTrace) {
      const phase = trace.enter();
      const seen = look();
      trace.exit(phase);
      return seen;
    }
    rcu.readLock();
    const seen = look();
    rcu.readUnlock();
    return seen;
  }

  /** What a reader does inside its section. */
  private look(): number {
    const object = this.library.rcuApi.rcuDereference({ i32: this.words }, this.slot * 4) >>> 2;
    if (readPrivate(this.words, object + PAYLOAD) !== object)
      throw new Violation("payload", `the object at word ${object} is not as it was published`);
    if (loadAcquire(this.words, object + REUSED) !== 0)
      throw new Violation("early-reuse", `the object at word ${object} was used again under a reader`);
    return object;
  }

  private replace(cpu: number, object: number): number {
    writePrivate(this.words, object + PAYLOAD, object);
    this.library.rcuApi.rcuAssignPointer({ i32: this.words }, this.slot * 4, object * 4);
    return this.periods(cpu).target();
  }

  private reuse(cpu: number): number {
    const next = this.retired[0];
    if (next === undefined || !this.periods(cpu).drive(next.target)) return 0;
    storeRelease(this.words, next.object + REUSED, 1);
    return 1;
  }
}
