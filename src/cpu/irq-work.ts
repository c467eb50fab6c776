/**
 * irq_work: work of one CPU, put off until that CPU is back in task context. Raising is allowed in
 * any context and at any depth; an item raised twice runs once. An item is WORK_WORDS words inside
 * the thing it works on; the handler finds that by subtracting the item's place in it.
 *
 * A CPU has two lists. What is on the one runs as soon as the CPU is in task context (`kick`: at once, else the
 * end of the outermost context), unless the CPU's mode puts that off too. What is on the other waits for `flush`:
 * the end of a turn, or a poll.
 *
 * Progress: raise is lock-free with a bound of one retry per nested raise. `run` runs each item
 * pending when it looks, at most MAX_ROUNDS times over; the handlers bound their own work.
 */
import { cmpxchg, readPrivate, type Words, writePrivate } from "#primitive";
import { llistAdd, llistDelAll, llistNext } from "../sync/index.ts";
import { enterContext, HARDIRQ_SHIFT, inTask, leaveContext } from "./contexts.ts";
import { WORK_LINK, WORK_PENDING } from "./layout.ts";

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
  private readonly list: number;
  private readonly handler: WorkHandler;
  private readonly onRaise: (() => void) | undefined;
  /** False: runs in `flush` only. */
  readonly isPrompt: boolean;

  /**
   * `list`: which word of the area heads the pending list. `handler` does the work of all items. `onRaise`: if given,
   * work waits for `flush`, which it is told to see to.
   */
  constructor(words: Words, area: number, list: number, handler: WorkHandler, onRaise?: () => void) {
    this.words = words;
    this.area = area;
    this.list = area + list;
    this.handler = handler;
    this.onRaise = onRaise;
    this.isPrompt = onRaise === undefined;
  }

  /** Forgets what is queued: its thread died, and who acts as it looks after all that there is. */
  clear(): void {
    writePrivate(this.words, this.list, 0);
  }

  /** Forgets that an item is pending. As `clear`. */
  forget(item: number): void {
    writePrivate(this.words, item + WORK_PENDING, 0);
  }

  /** Queues the item unless it is pending. Any context, any depth. Does not run it: see `kick`. */
  raise(item: number): void {
    if (readPrivate(this.words, item + WORK_PENDING) !== 0) return;
    // a CAS, since a nested call may raise it in between: one of the two puts it on the list
    if (cmpxchg(this.words, item + WORK_PENDING, 0, 1) === 0) {
      llistAdd(this.words, this.list, item + WORK_LINK);
      this.onRaise?.();
    }
  }

  /** As raise and kick, for an item that need not be found pending by anyone: cheaper. Task context, prompt work. */
  runNow(item: number): void {
    enterContext(this.words, this.area, HARDIRQ_SHIFT);
    try {
      if (!this.handler(item)) this.raise(item);
    } finally {
      leaveContext(this.words, this.area, HARDIRQ_SHIFT);
    }
    this.kick();
  }

  /** Runs what is pending, if this is task context and nothing puts it off. */
  kick(): void {
    if (this.isPrompt) this.flush();
  }

  /** Runs what is pending, if this is task context. */
  flush(): void {
    // plain: only this CPU touches the list, at whatever depth
    if (readPrivate(this.words, this.list) !== 0 && inTask(this.words, this.area)) this.run();
  }

  private run(): void {
    enterContext(this.words, this.area, HARDIRQ_SHIFT);
    try {
      for (let round = 0; round < MAX_ROUNDS; round++) {
        if (readPrivate(this.words, this.list) === 0) return;
        if (!this.runAll(llistDelAll(this.words, this.list))) return;
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
        if (this.handler(item)) worked = true;
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
    // a raise from here on queues the item again, so nothing that happens while its handler runs is missed
    writePrivate(this.words, item + WORK_PENDING, 0);
    return next;
  }
}
