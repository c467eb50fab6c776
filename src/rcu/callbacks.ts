/**
 * Callbacks: what is to be done after a grace period. (The kernel's call_rcu.)
 *
 * A callback is an item: a link word inside the thing it is about. What is done with it follows from the
 * kind it was given as; kinds are numbers, their handlers a table that every thread builds alike. So any
 * thread can run any callback, and nothing shared holds a closure.
 *
 * Each CPU has a queue for each kind. Callbacks gather in NEXT. Whoever holds the queue's taker word makes
 * them a batch, notes the numbers its grace periods end with, and runs it when they have: its own CPU as
 * it goes along, any other when it polls. A batch begins when the one before it is done.
 *
 *                   call     run
 *     call          yes      yes
 *     run           yes      one, by the taker word (a try)
 *
 * Progress: call is lock-free (llistAdd); so is run, which makes a batch again when its queue's owner gave another
 * callback meanwhile. It does what its handlers do, `limit` times; and more, once, where the last holder died.
 */
import { cmpxchg, loadAcquire, peek, readPrivate, storeRelease, type Words, writePrivate } from "#primitive";
import {
  type Cpu,
  type Cpus,
  enterContext,
  HARDIRQ_SHIFT,
  leaveContext,
  NOT_CLAIMED,
  type PercpuAreas,
  TAKEN_OVER,
} from "../cpu/index.ts";
import { llistAdd, llistEmpty, llistNext, releaseTaker } from "../sync/index.ts";
import {
  LOCAL_HAND,
  LOCAL_QUEUES,
  QUEUE_BATCH,
  QUEUE_NEXT,
  QUEUE_RCU_TARGET,
  QUEUE_TAKER,
  QUEUE_TRACE_TARGET,
  QUEUE_WAIT,
  QUEUE_WORDS,
} from "./layout.ts";
import type { Rcu, RcuPlace } from "./rcu.ts";
import type { TasksTrace } from "./tasks-trace.ts";

/** A kind of callback. */
export interface Kind {
  /** What it waits for. */
  readonly rcu: boolean;
  readonly trace: boolean;
  /** Runs in task context; may give callbacks itself. */
  readonly handler: (item: number) => void;
}

export class Callbacks {
  private readonly words: Words;
  private readonly cpu: Cpu;
  private readonly cpus: Cpus;
  private readonly areas: PercpuAreas;
  private readonly offset: number;
  private readonly rcu: Rcu;
  private readonly trace: TasksTrace;
  private readonly kinds: readonly Kind[];
  private readonly hand: number;

  /** `kinds` is filled in while the thread boots, alike on all threads; at most MAX_KINDS. */
  constructor(
    place: RcuPlace,
    cpu: Cpu,
    cpus: Cpus,
    areas: PercpuAreas,
    rcu: Rcu,
    trace: TasksTrace,
    kinds: readonly Kind[],
  ) {
    this.words = areas.words;
    this.cpu = cpu;
    this.cpus = cpus;
    this.areas = areas;
    this.offset = place.local + LOCAL_QUEUES;
    this.hand = cpu.area + place.local + LOCAL_HAND;
    this.rcu = rcu;
    this.trace = trace;
    this.kinds = kinds;
  }

  /** This CPU's thread died, and another one acts as it: what it was running is left as it is. */
  settle(): void {
    writePrivate(this.words, this.hand, 0);
  }

  /** Gives a callback: `item` is the address of its link word. Any context. */
  call(kind: number, item: number): void {
    // not from a handler: turns go on while anything is pending, and are not hurried on by what passes it on
    if (readPrivate(this.words, this.hand) === 0) this.cpu.wake();
    // pairs with the take in begin: hands the item over
    llistAdd(this.words, this.queueOf(this.cpu.id, kind) + QUEUE_NEXT, item);
  }

  /**
   * Runs what is ready on all CPUs, those too that nobody has: up to `limit` callbacks of each queue. This CPU's own
   * comes first, so what a handler gives again is left to a later poll. Returns how many. Task context.
   */
  poll(limit: number): number {
    const { used } = this.cpus;
    let ran = 0;
    for (let i = 0; i < used; i++) {
      const cpu = (this.cpu.id + i) % used;
      for (let kind = 0; kind < this.kinds.length; kind++) ran += this.run(cpu, kind, limit);
    }
    return ran;
  }

  /** True if something waits in a queue of any CPU. Any context. */
  isPending(): boolean {
    for (let cpu = 0; cpu < this.cpus.used; cpu++) {
      for (let kind = 0; kind < this.kinds.length; kind++) if (!this.isEmpty(cpu, kind)) return true;
    }
    return false;
  }

  /**
   * Runs up to `limit` callbacks of a CPU's queue whose grace period has ended, having driven it. Returns how
   * many. `mayBegin`: whether a batch is made of those that gather. Task context.
   */
  run(cpu: number, kind: number, limit: number, mayBegin = true): number {
    const queue = this.queueOf(cpu, kind);
    if (this.isIdle(queue) || !this.claim(queue)) return 0;
    let ran = 0;
    try {
      ran = this.runHeld(queue, this.kinds[kind], limit, mayBegin);
    } finally {
      releaseTaker(this.words, queue + QUEUE_TAKER);
    }
    if (ran > 0) this.cpu.tracepoints.fire(this.cpu.tracepoints.callbacks, ran, cpu);
    return ran;
  }

  /** True if nothing was waiting in a CPU's queue of that kind. */
  isEmpty(cpu: number, kind: number): boolean {
    return this.isIdle(this.queueOf(cpu, kind));
  }

  /** The kinds that wait for tasks trace, or for RCU alone. */
  kindsOf(trace: boolean): number[] {
    return [...this.kinds.keys()].filter(
      (kind) => this.kinds[kind].trace === trace && (trace || this.kinds[kind].rcu),
    );
  }

  /** Stands for all callbacks that a queue has now: see `isPast`. Any context. */
  mark(cpu: number, kind: number): number {
    const batch = loadAcquire(this.words, this.queueOf(cpu, kind) + QUEUE_BATCH);
    // what is in NEXT will be in the batch after the one that is under way
    return batch + 2 + (batch & 1);
  }

  /** True once all callbacks that `mark` stands for have run. Any context. */
  isPast(cpu: number, kind: number, mark: number): boolean {
    const queue = this.queueOf(cpu, kind);
    return ((loadAcquire(this.words, queue + QUEUE_BATCH) - mark) | 0) >= 0 || this.isIdle(queue);
  }

  /** Every item that waits in a queue of that kind, on any CPU, for the inspector. Exact while no call is under way. */
  forEachItem(kind: number, visit: (item: number) => boolean): void {
    for (let cpu = 0; cpu < this.areas.maxCpus; cpu++) {
      const queue = this.queueOf(cpu, kind);
      for (const list of [QUEUE_NEXT, QUEUE_WAIT]) {
        let item = peek(this.words, queue + list);
        while (item !== 0 && visit(item)) item = peek(this.words, item);
      }
    }
  }

  /** Gives a queue back that a CPU which is gone has claimed. While no call is under way anywhere. */
  unclaim(cpu: number, kind: number): void {
    const queue = this.queueOf(cpu, kind);
    // with what it was in the middle of put right
    if (this.claim(queue)) releaseTaker(this.words, queue + QUEUE_TAKER);
  }

  private isIdle(queue: number): boolean {
    // in this order: a batch that begins in between is seen by its number
    return (
      llistEmpty(this.words, queue + QUEUE_NEXT) && (loadAcquire(this.words, queue + QUEUE_BATCH) & 1) === 0
    );
  }

  /** Takes the right to run a queue, if nobody has it or who has it is gone. */
  private claim(queue: number): boolean {
    const claimed = this.cpu.claimTaker(queue + QUEUE_TAKER);
    if (claimed === TAKEN_OVER) this.recover(queue);
    return claimed !== NOT_CLAIMED;
  }

  /** The last holder died, between any two steps. Where it had named a batch and not taken it, that is done again. */
  private recover(queue: number): void {
    const first = readPrivate(this.words, queue + QUEUE_WAIT);
    for (
      let item = loadAcquire(this.words, queue + QUEUE_NEXT);
      item !== 0;
      item = llistNext(this.words, item)
    )
      if (item === first) writePrivate(this.words, queue + QUEUE_WAIT, 0);
  }

  /** TAKER is held. */
  private runHeld(queue: number, kind: Kind, limit: number, mayBegin: boolean): number {
    if ((readPrivate(this.words, queue + QUEUE_BATCH) & 1) === 0) {
      if (!mayBegin) return 0;
      this.turn(queue);
    }
    // empty only at its beginning, or where the last holder died
    if (readPrivate(this.words, queue + QUEUE_WAIT) === 0) this.gather(queue, kind);
    if (!this.isReady(queue, kind)) return 0;
    enterContext(this.words, this.cpu.area, HARDIRQ_SHIFT);
    try {
      return this.runBatch(queue, kind, limit);
    } finally {
      // a handler that threw has seen to its item
      writePrivate(this.words, this.hand, 0);
      leaveContext(this.words, this.cpu.area, HARDIRQ_SHIFT);
    }
  }

  private runBatch(queue: number, kind: Kind, limit: number): number {
    let ran = 0;
    for (; ran < limit; ran++) {
      const item = readPrivate(this.words, queue + QUEUE_WAIT);
      if (item === 0) break;
      const next = llistNext(this.words, item);
      // named before it leaves the list: from there on it is found in one of the two places, or both
      writePrivate(this.words, this.hand, item);
      writePrivate(this.words, queue + QUEUE_WAIT, next);
      kind.handler(item);
      writePrivate(this.words, this.hand, 0);
    }
    if (readPrivate(this.words, queue + QUEUE_WAIT) === 0) this.turn(queue);
    return ran;
  }

  /**
   * Makes a batch of what is waiting, and notes when it may run. The batch is named before it is taken, so that none is
   * lost whose taker dies.
   */
  private gather(queue: number, kind: Kind): void {
    for (;;) {
      const first = loadAcquire(this.words, queue + QUEUE_NEXT);
      // after that look: all that was unlinked for these callbacks was unlinked before
      if (kind.rcu) writePrivate(this.words, queue + QUEUE_RCU_TARGET, this.rcu.target());
      if (kind.trace) writePrivate(this.words, queue + QUEUE_TRACE_TARGET, this.trace.target());
      writePrivate(this.words, queue + QUEUE_WAIT, first);
      // pairs with call: fails only because the queue's owner gave another one
      if (cmpxchg(this.words, queue + QUEUE_NEXT, first, 0) === first) return;
    }
  }

  /** A batch begins, or ends. */
  private turn(queue: number): void {
    // pairs with isIdle
    storeRelease(this.words, queue + QUEUE_BATCH, readPrivate(this.words, queue + QUEUE_BATCH) + 1);
  }

  private isReady(queue: number, kind: Kind): boolean {
    return (
      (!kind.rcu || this.rcu.drive(readPrivate(this.words, queue + QUEUE_RCU_TARGET))) &&
      (!kind.trace || this.trace.drive(readPrivate(this.words, queue + QUEUE_TRACE_TARGET)))
    );
  }

  private queueOf(cpu: number, kind: number): number {
    return this.areas.areaOf(cpu) + this.offset + kind * QUEUE_WORDS;
  }
}
