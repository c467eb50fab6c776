/** Threads that count at once: each in its slot of a per-CPU counter, or all in one word. The two take turns. */
import { Worker } from "node:worker_threads";
import { SharedHeap } from "sharedheap";
import { type Spread, spreadOf } from "../statistics.ts";
import { DONE, GO, type Job } from "./job.ts";

export const COUNTER = {
  name: "counter",
  what: "threads count at once in a PerCpuCounter; the reference is one word and Atomics.add",
};
/** One word takes at least so many times as long. */
const TARGET = 6;
const ADDS = 100_000;
const WARM_UP = 3;

export interface CounterResult {
  readonly workload: string;
  readonly threads: number;
  readonly rounds: number;
  /** Nanoseconds for an add, of all threads together. */
  readonly percpu: Spread;
  readonly word: Spread;
  /** How many times as long the word takes, round by round. */
  readonly ratio: Spread;
  readonly target: number;
}

/** Threads that do a round when they are told. */
class Crew {
  private readonly control = new Int32Array(new SharedArrayBuffer(8));
  private readonly threads: number;
  private round = 0;

  constructor(job: Omit<Job, "control">, threads: number) {
    this.threads = threads;
    for (let i = 0; i < threads; i++)
      new Worker(new URL("worker.js", import.meta.url), {
        workerData: { ...job, control: this.control },
      }).unref();
  }

  /** Nanoseconds for an add. */
  measure(): number {
    const { control, threads } = this;
    Atomics.store(control, DONE, 0);
    const start = performance.now();
    this.tell(++this.round);
    for (let done = 0; done < threads; done = Atomics.load(control, DONE)) Atomics.wait(control, DONE, done);
    return ((performance.now() - start) * 1e6) / (ADDS * threads);
  }

  end(): void {
    this.tell(-1);
  }

  private tell(round: number): void {
    Atomics.store(this.control, GO, round);
    Atomics.notify(this.control, GO);
  }
}

export function runCounter({ threads, rounds }: { threads: number; rounds: number }): CounterResult {
  const heap = SharedHeap.create({ bytes: 4 * 2 ** 20, maxCpus: 2 * threads + 1, turns: false });
  const counter = heap.percpu.counter();
  const job = { token: heap.token, adds: ADDS };
  const percpu = new Crew({ ...job, isPercpu: true, at: counter.offset }, threads);
  const word = new Crew({ ...job, isPercpu: false, at: heap.kmalloc(64) }, threads);
  const times = Array.from({ length: WARM_UP + rounds }, () => [percpu.measure(), word.measure()] as const);
  if (counter.read() !== threads * ADDS * times.length) throw new Error("the counter is wrong");
  for (const crew of [percpu, word]) crew.end();
  const measured = times.slice(WARM_UP);
  return {
    workload: COUNTER.name,
    threads,
    rounds,
    percpu: spreadOf(measured.map(([ours]) => ours)),
    word: spreadOf(measured.map(([, theirs]) => theirs)),
    ratio: spreadOf(measured.map(([ours, theirs]) => theirs / ours)),
    target: TARGET,
  };
}
