/**
 * This thread as a CPU: its number, its area, its context, its deferred work. Everything here is
 * fixed when the thread attaches; what changes lives in the heap.
 */
import { type Words, writePrivate } from "#primitive";
import {
  contextDepth,
  enterContext,
  HARDIRQ_SHIFT,
  inTask,
  leaveContext,
  NMI_SHIFT,
  SOFTIRQ_SHIFT,
} from "./contexts.ts";
import type { Cpus } from "./cpus.ts";
import { IrqWork, type WorkHandler } from "./irq-work.ts";
import { AREA_CONTEXT, AREA_IRQ_WORK, AREA_TURN_WORK } from "./layout.ts";
import type { PercpuAreas } from "./percpu-areas.ts";

export class Cpu {
  readonly words: Words;
  readonly id: number;
  /** First word of this CPU's area. */
  readonly area: number;
  /** Names this CPU and its generation, in taker words. Not 0. */
  readonly claim: number;
  /** Work that runs as soon as this CPU is in task context. */
  readonly irqWork: IrqWork;
  /** Work that waits for the next turn of the thread's event loop, or poll. */
  readonly turnWork: IrqWork;
  /** Called when something waits for a turn or a poll. */
  readonly wake: () => void;

  constructor(
    id: number,
    cpus: Cpus,
    areas: PercpuAreas,
    handlers: readonly WorkHandler[],
    wake: () => void = () => {},
  ) {
    this.words = areas.words;
    this.id = id;
    this.area = areas.areaOf(id);
    this.claim = cpus.claimOf(id);
    this.wake = wake;
    this.irqWork = new IrqWork(this.words, this.area, AREA_IRQ_WORK, handlers, () => {});
    this.turnWork = new IrqWork(this.words, this.area, AREA_TURN_WORK, handlers, wake);
    writePrivate(this.words, this.area + AREA_CONTEXT, 0);
  }

  inTask(): boolean {
    return inTask(this.words, this.area);
  }
  inSoftirq(): boolean {
    return contextDepth(this.words, this.area, SOFTIRQ_SHIFT) > 0;
  }
  inHardirq(): boolean {
    return contextDepth(this.words, this.area, HARDIRQ_SHIFT) > 0;
  }
  inNmi(): boolean {
    return contextDepth(this.words, this.area, NMI_SHIFT) > 0;
  }

  /** Runs `fn` in a nested context. Work raised inside runs when the outermost one ends. */
  nested<T>(shift: number, fn: () => T): T {
    enterContext(this.words, this.area, shift);
    try {
      return fn();
    } finally {
      leaveContext(this.words, this.area, shift);
      this.irqWork.kick();
    }
  }
}
