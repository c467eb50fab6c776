/** One thread's tools: what its activities are made of. */
import type { SharedHeap } from "sharedheap";
import { randomFrom } from "../../support/random.ts";
import { Access } from "./access.ts";
import { AsyncReaders } from "./async-reader.ts";
import { Closures } from "./closures.ts";
import { Control } from "./control.ts";
import { Tally } from "./counters.ts";
import { Elements } from "./elements.ts";
import type { Job } from "./job.ts";
import type { Library } from "./library.ts";
import { Retirer } from "./retirer.ts";
import { Sections } from "./sections.ts";
import { SyncReader } from "./sync-reader.ts";
import { Thief } from "./thief.ts";
import { Updater } from "./updater.ts";

/** Steps between two looks at the clock. */
const STEPS = 16;

export class Torturer {
  readonly random: (below: number) => number;
  readonly control: Control;
  readonly access: Access;
  readonly updater: Updater;
  readonly reader: SyncReader;
  readonly asyncReaders: AsyncReaders;
  readonly closures: Closures;
  readonly retirer: Retirer;
  readonly thief: Thief;

  constructor(library: Library, heap: SharedHeap, { seed, control: words, thread, slots }: Job) {
    const random = randomFrom(seed);
    const control = new Control(words);
    const place = { control, thread, slots };
    const tally = new Tally(words, control.tallyBase(thread));
    const sections = new Sections(control, thread);
    const elements = new Elements(heap.i32, sections, tally);
    this.random = random;
    this.control = control;
    this.access = new Access(library, heap, tally);
    this.retirer = new Retirer(this.access, elements, tally, random);
    this.updater = new Updater(this.access, elements, this.retirer, tally, random, place);
    this.reader = new SyncReader(this.access, elements, sections, tally, random, place);
    this.asyncReaders = new AsyncReaders(this.access, elements, sections, tally, random, place);
    this.closures = new Closures(this.access, control, tally, thread);
    this.thief = new Thief(this.access, elements);
  }

  get heap(): SharedHeap {
    return this.access.heap;
  }

  /** Repeats `step` for up to `ms`, chosen anew each time. */
  during(ms: number, step: () => void): void {
    const end = performance.now() + this.random(ms * 8) / 8;
    do for (let i = 0; i < STEPS; i++) step();
    while (performance.now() < end && !this.control.isStopped);
  }

  /** True if nothing is under way that must end before a detach. */
  get isQuiet(): boolean {
    return this.asyncReaders.isEmpty && this.retirer.isEmpty && this.closures.isEmpty;
  }
}
