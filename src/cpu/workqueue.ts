/**
 * The workqueue: jobs that any live thread may run. A job is (code, argument): the code is an index
 * into a table that every thread builds alike, the argument an address. Nothing shared ever holds a
 * closure.
 *
 *     JOB_STATE:  0 free -> FILLING -> QUEUED | code << 4 -> RUNNING -> 0
 *     FILLING and RUNNING carry the CPU at work above bit 12, so that a dead one's can be recognised.
 *
 * A table of slots and no list: a job is claimed by one CAS, there is nothing to unlink.
 *
 * Progress: both operations look at each of JOB_SLOTS slots once: wait-free.
 */
import { cmpxchg, loadAcquire, readPrivate, storeRelease, type Words, writePrivate } from "#primitive";
import type { Memblock } from "../arena/index.ts";
import { JOB_ARGUMENT, JOB_SLOTS, JOB_STATE, JOB_WORDS } from "./layout.ts";

/** Runs a job. Task context. */
export type JobHandler = (argument: number) => void;

const FILLING = 1;
const QUEUED = 2;
const RUNNING = 3;
const PHASE_MASK = 15;
const CODE_SHIFT = 4;
const CODE_MASK = 0xff;
const CPU_SHIFT = 12;

export class Workqueue {
  private readonly words: Words;
  private readonly slots: number;
  private readonly handlers: readonly JobHandler[];

  /** Job code n runs handlers[n], filled in while the thread boots. At most 256. */
  constructor(words: Words, memblock: Memblock, handlers: readonly JobHandler[]) {
    this.words = words;
    this.slots = memblock.reserve(JOB_SLOTS * JOB_WORDS);
    this.handlers = handlers;
  }

  /** Queues a job for whoever polls next. Returns false if all slots are taken. Any context. */
  queue(cpu: number, code: number, argument: number): boolean {
    for (let slot = this.slots; slot < this.slots + JOB_SLOTS * JOB_WORDS; slot += JOB_WORDS) {
      // pairs with the last store of runOne: the slot's argument is ours to write
      if (cmpxchg(this.words, slot + JOB_STATE, 0, FILLING | (cpu << CPU_SHIFT)) !== 0) continue;
      writePrivate(this.words, slot + JOB_ARGUMENT, argument);
      // pairs with the CAS of runOne: publishes the argument and what the job will work on
      storeRelease(this.words, slot + JOB_STATE, QUEUED | (code << CODE_SHIFT));
      return true;
    }
    return false;
  }

  /** Runs the jobs queued now, each at most once. Returns how many. Task context. */
  run(cpu: number): number {
    let ran = 0;
    for (let slot = this.slots; slot < this.slots + JOB_SLOTS * JOB_WORDS; slot += JOB_WORDS) {
      if (this.runOne(slot, cpu)) ran++;
    }
    return ran;
  }

  private runOne(slot: number, cpu: number): boolean {
    const state = loadAcquire(this.words, slot + JOB_STATE);
    if ((state & PHASE_MASK) !== QUEUED) return false;
    // pairs with the store of queue
    if (cmpxchg(this.words, slot + JOB_STATE, state, RUNNING | (cpu << CPU_SHIFT)) !== state) return false;
    const argument = readPrivate(this.words, slot + JOB_ARGUMENT);
    try {
      this.handlers[(state >>> CODE_SHIFT) & CODE_MASK](argument);
    } finally {
      // pairs with the CAS of queue
      storeRelease(this.words, slot + JOB_STATE, 0);
    }
    return true;
  }
}
