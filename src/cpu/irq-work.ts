/**
 * irq_work: work of one CPU, put off until that CPU is back in task context. Raising is allowed in
 * any context and at any depth; an item raised twice runs once. An item is WORK_WORDS words inside
 * the thing it works on; its handler finds that by subtracting the item's place in it.
 *
 * Mode `inline` (the only one yet): `kick` runs what is pending at once if the CPU is in task
 * context, else the end of the outermost context does.
 *
 * Progress: raise is lock-free with a bound of one retry per nested raise. `run` runs each item
 * pending when it looks, at most MAX_ROUNDS times over; the handlers bound their own work.
 */
import { cmpxchg, readPrivate, storeRelease, type Words, writePrivate } from "#primitive";
import { llistAdd, llistDelAll, llistEmpty, llistNext } from "../sync/index.ts";
import { enterContext, HARDIRQ_SHIFT, inTask, leaveContext } from "./contexts.ts";
import { AREA_IRQ_WORK, WORK_ID, WORK_LINK, WORK_PENDING } from "./layout.ts";

/**
 * Does the work of an item, in hardirq context. Returns false if that cannot be now, because the call
 * that was interrupted is in the middle of the same thing: then the item stays pending.
 */
export type WorkHandler = (item: number) => boolean;

/** Rounds of one run: more than one only if nested calls raised work while it was under way. */
const MAX_ROUNDS = 64;

export class IrqWork {
  private readonly words: Words;
  private readonly area: number;
  private readonly handlers: readonly WorkHandler[];

  /** `handlers` is filled in while the thread boots: item WORK_ID n runs handlers[n]. */
  constructor(words: Words, area: number, handlers: readonly WorkHandler[]) {
    this.words = words;
    this.area = area;
    this.handlers = handlers;
  }

  /** Prepares an item of this CPU. Task context. */
  init(item: number, id: number): void {
    writePrivate(this.words, item + WORK_ID, id);
  }

  /** Queues the item unless it is pending. Any context, any depth. Does not run it: see `kick`. */
  raise(item: number): void {
    // pairs with the store in takeUp, on this same CPU: claims the item for the pending list
    if (cmpxchg(this.words, item + WORK_PENDING, 0, 1) === 0) {
      llistAdd(this.words, this.area + AREA_IRQ_WORK, item + WORK_LINK);
    }
  }

  /** Runs what is pending, if this is task context. */
  kick(): void {
    if (!llistEmpty(this.words, this.area + AREA_IRQ_WORK) && inTask(this.words, this.area)) this.run();
  }

  private run(): void {
    enterContext(this.words, this.area, HARDIRQ_SHIFT);
    try {
      for (let round = 0; round < MAX_ROUNDS; round++) {
        const item = llistDelAll(this.words, this.area + AREA_IRQ_WORK);
        if (item === 0 || !this.runAll(item)) return;
      }
    } finally {
      leaveContext(this.words, this.area, HARDIRQ_SHIFT);
    }
  }

  /** Returns true if any item could be worked on. */
  private runAll(first: number): boolean {
    let worked = false;
    let next = first;
    try {
      while (next !== 0) {
        const item = next;
        next = this.takeUp(item);
        if (this.handlers[readPrivate(this.words, item + WORK_ID)](item)) worked = true;
        else this.raise(item);
      }
    } finally {
      // a handler threw: the others stay pending
      while (next !== 0) {
        const item = next;
        next = this.takeUp(item);
        this.raise(item);
      }
    }
    return worked;
  }

  /** From here on the item is not pending. Returns the one behind it in the list that was taken. */
  private takeUp(item: number): number {
    const next = llistNext(this.words, item);
    // pairs with the CAS in raise: a raise from here on queues the item again, so nothing that
    // happens while its handler runs is missed
    storeRelease(this.words, item + WORK_PENDING, 0);
    return next;
  }
}
