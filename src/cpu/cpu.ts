/**
 * This thread as a CPU: its number, its area, its context, its deferred work. Everything here is
 * fixed when the thread attaches; what changes lives in the heap.
 */
import { loadAcquire, type Words, writePrivate } from "#primitive";
import { type Faults, SharedHeapError } from "../arena/index.ts";
import { takeOver, tryTake } from "../sync/index.ts";
import {
  CRITICAL_SHIFT,
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
import { Tracepoints } from "./tracepoints.ts";

/**
 * When a CPU's deferred work runs: `inline`, as soon as it is in task context; `turn`, at the end of a turn of the event
 * loop, or a poll; `kthread`, as inline, but what takes long (slab, callbacks) is left to other CPUs.
 */
export type IrqWorkMode = "inline" | "turn" | "kthread";

/** What came of a try to claim a taker word. */
export type Claimed = typeof NOT_CLAIMED | typeof CLAIMED | typeof TAKEN_OVER;
export const NOT_CLAIMED = 0;
export const CLAIMED = 1;
/** From a CPU that is dead. */
export const TAKEN_OVER = 2;

/** What the items of irqWork and turnWork are worked on by. Filled in while the thread boots. */
export interface DeferredWork {
  irq: WorkHandler;
  turn: WorkHandler;
}

export class Cpu {
  readonly words: Words;
  readonly id: number;
  /** First word of this CPU's area. */
  readonly area: number;
  readonly cpus: Cpus;
  /** Names the thread that acts as this CPU, in taker words. Not 0. */
  readonly claim: number;
  /** Work that runs as soon as this CPU is in task context, unless its mode is `turn`. */
  readonly irqWork: IrqWork;
  /** Work that waits for the next turn of the thread's event loop, or poll. */
  readonly turnWork: IrqWork;
  /** Other CPUs do what takes long. */
  readonly isHelped: boolean;
  readonly tracepoints: Tracepoints;
  readonly faults: Faults;
  /** Called when something waits for a turn or a poll. */
  readonly wake: () => void;

  constructor(
    id: number,
    cpus: Cpus,
    areas: PercpuAreas,
    work: DeferredWork,
    wake: () => void = () => {},
    mode: IrqWorkMode = "inline",
    claim = cpus.claimOf(id),
  ) {
    this.words = areas.words;
    this.id = id;
    this.area = areas.areaOf(id);
    this.cpus = cpus;
    this.claim = claim;
    this.wake = wake;
    this.faults = areas.faults;
    this.tracepoints = new Tracepoints(this.words, this.area);
    this.isHelped = mode === "kthread";
    const putOff = mode === "turn" ? wake : undefined;
    this.irqWork = new IrqWork(this.words, this.area, AREA_IRQ_WORK, (item) => work.irq(item), putOff);
    this.turnWork = new IrqWork(this.words, this.area, AREA_TURN_WORK, (item) => work.turn(item), wake);
    writePrivate(this.words, this.area + AREA_CONTEXT, 0);
  }

  /**
   * Claims a taker word, if nobody has it, or if who has it is gone: then what that one was in the middle of is the
   * caller's to put right. Any context.
   */
  claimTaker(taker: number): Claimed {
    if (tryTake(this.words, taker, this.claim)) return CLAIMED;
    const holder = loadAcquire(this.words, taker);
    if (holder === 0 || !this.cpus.isStale(holder)) return NOT_CLAIMED;
    return takeOver(this.words, taker, holder, this.claim) ? TAKEN_OVER : NOT_CLAIMED;
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

  /** The innermost context there is, by the name that programs know. */
  get context(): string {
    if (contextDepth(this.words, this.area, CRITICAL_SHIFT) > 0) return "a step of the library itself";
    if (this.inNmi()) return "nmi context";
    if (this.inHardirq()) return "hardirq context";
    return this.inSoftirq() ? "softirq context" : "task context";
  }

  /** Throws `bad-context` unless this is task context: `call` may not be made anywhere else. */
  checkTask(call: string): void {
    if (this.inTask()) return;
    throw new SharedHeapError(
      "bad-context",
      `${call} inside ${this.context}: call it in task context, when that has ended`,
    );
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
