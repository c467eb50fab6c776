/** Contexts and deferred work: raised at any depth, at any step; runs in task context, never in itself, never too few times. */
import type { Booted } from "#src/boot.js";
import type { IrqWork } from "#src/cpu/index.js";
import { readPrivate, writePrivate } from "../engine/primitive.ts";
import type { Call, Prepared } from "../engine/scenario.ts";
import { Violation } from "../engine/violation.ts";
import type { Library } from "../library.ts";
import { bootCpus, freeWords } from "./small-heap.ts";

/**
 * Two items of work, on a CPU alone. Each has a word that says that something is to be done about it, written before
 * the item is raised, and a word that is 1 while a call is in the middle of what the work is about.
 */
export class Contexts implements Prepared {
  readonly words: Int32Array;
  readonly cpus = 1;
  readonly nested: readonly Call[];
  readonly alphabet: readonly Call[];
  private readonly library: Library;
  private readonly system: Booted;
  private readonly work: IrqWork;
  private readonly items: readonly number[];
  private readonly todo: readonly number[];
  private readonly busy: number;
  private readonly running: number;

  constructor(library: Library) {
    this.library = library;
    [this.system] = bootCpus(library, 1, 24);
    this.words = this.system.arena.words;
    const [first, second, todo, other, busy, running] = freeWords(this.system, 6);
    this.items = [first, second];
    this.todo = [todo, other];
    this.busy = busy;
    this.running = running;
    const { area } = this.system.cpu;
    const handler = (item: number) => this.handle(item);
    this.work = new library.cpu.IrqWork(this.words, area, library.cpuLayout.AREA_IRQ_WORK, handler);
    this.alphabet = [
      { name: "raise, kick", run: () => this.raiseAndKick(0) },
      { name: "use", run: () => this.use() },
      { name: "run now", run: () => this.runNow() },
      { name: "softirq", run: () => this.inContext(library.cpu.SOFTIRQ_SHIFT, 1) },
    ];
    this.nested = [
      { name: "nmi", run: () => this.inContext(library.cpu.NMI_SHIFT, 0) },
      { name: "nested raise, kick", run: () => this.raiseAndKick(1) },
    ];
  }

  reset(): void {}

  fingerprint(): number {
    return 0;
  }

  /** What was raised when the last call had looked for work already is left to a poll. */
  quiesce(): void {
    this.work.kick();
  }

  finish(): void {
    const { words } = this;
    if (this.todo.some((at) => words[at] !== 0))
      throw new Violation("lost-work", "work was raised and did not run");
    const { AREA_CONTEXT, AREA_IRQ_WORK } = this.library.cpuLayout;
    const { area } = this.system.cpu;
    if (words[area + AREA_CONTEXT] !== 0)
      throw new Violation("context", "a context was entered and not left");
    if (words[area + AREA_IRQ_WORK] !== 0) throw new Violation("lost-work", "work is pending for ever");
  }

  private raiseAndKick(which: number): number {
    writePrivate(this.words, this.todo[which], 1);
    this.work.raise(this.items[which]);
    this.work.kick();
    return 0;
  }

  private runNow(): number {
    const { cpu } = this.system;
    writePrivate(this.words, this.todo[0], 1);
    if (cpu.inTask()) this.work.runNow(this.items[0]);
    else this.work.raise(this.items[0]);
    return 0;
  }

  /** As a cache is used: nested work on it has to wait, and runs when it is let go. */
  private use(): number {
    writePrivate(this.words, this.busy, 1);
    writePrivate(this.words, this.todo[0], 1);
    this.work.raise(this.items[0]);
    writePrivate(this.words, this.busy, 0);
    this.work.kick();
    return 0;
  }

  private inContext(shift: number, which: number): number {
    const { enterContext, leaveContext } = this.library.cpu;
    const { area } = this.system.cpu;
    enterContext(this.words, area, shift);
    writePrivate(this.words, this.todo[which], 1);
    this.work.raise(this.items[which]);
    this.work.kick();
    if (readPrivate(this.words, this.todo[which]) === 0)
      throw new Violation("context", "work ran inside a declared context");
    leaveContext(this.words, area, shift);
    this.work.kick();
    return 0;
  }

  private handle(item: number): boolean {
    if (readPrivate(this.words, this.busy) === 1) return false;
    if (readPrivate(this.words, this.running) === 1) throw new Violation("context", "work ran inside work");
    writePrivate(this.words, this.running, 1);
    writePrivate(this.words, this.todo[this.items.indexOf(item)], 0);
    writePrivate(this.words, this.running, 0);
    return true;
  }
}
