/** A tenant at work beside one that allocates until NULL all the time; beside one that only computes, in turn. */
import { Worker } from "node:worker_threads";
import { SharedHeap } from "sharedheap";
import { type Spread, spreadOf } from "../statistics.ts";
import {
  ATTACK,
  BURN,
  CONTROL_WORDS,
  DOING,
  DONE,
  GO,
  HITS,
  type Job,
  MODE,
  NULLS,
  OPERATIONS,
} from "./job.ts";

export const FAIRNESS = {
  name: "fairness",
  what: "a tenant at work while another one allocates until NULL; the reference is one that burns the CPU",
};
/** At least this share of the speed that it has beside the reference. */
const TARGET = 0.9;
const WARM_UP = 3;

export interface FairnessResult {
  readonly workload: string;
  readonly rounds: number;
  /** Nanoseconds for an operation of the tenant at work. */
  readonly attacked: Spread;
  readonly control: Spread;
  /** Its speed under attack as a share of the control's, round by round. */
  readonly share: Spread;
  readonly target: number;
  /** Allocations that it did not get. */
  readonly nulls: number;
  /** Thousands that the attacker did not get. */
  readonly refused: number;
}

class Field {
  private readonly control = new Int32Array(new SharedArrayBuffer(4 * CONTROL_WORDS));
  private round = 0;

  constructor(heap: SharedHeap) {
    const job: Job = { token: heap.token, control: this.control };
    for (const file of ["worker.js", "attacker.js"])
      new Worker(new URL(file, import.meta.url), { workerData: job }).unref();
  }

  count(word: number): number {
    return Atomics.load(this.control, word);
  }

  /** Nanoseconds for an operation while the other thread does that. */
  measure(mode: number): number {
    const { control } = this;
    Atomics.store(control, MODE, mode);
    while (Atomics.load(control, DOING) !== mode) Atomics.wait(control, DOING, control[DOING], 1);
    const start = performance.now();
    this.go(++this.round);
    for (let done = this.count(DONE); done < this.round; done = this.count(DONE))
      Atomics.wait(control, DONE, done);
    return ((performance.now() - start) * 1e6) / OPERATIONS;
  }

  end(): void {
    Atomics.store(this.control, MODE, -1);
    this.go(-1);
  }

  private go(round: number): void {
    Atomics.store(this.control, GO, round);
    Atomics.notify(this.control, GO);
  }
}

export function runFairness({ rounds }: { rounds: number }): FairnessResult {
  const heap = SharedHeap.create({ bytes: 64 * 2 ** 20, maxCpus: 3, turns: false });
  const field = new Field(heap);
  const times = Array.from(
    { length: WARM_UP + rounds },
    () => [field.measure(ATTACK), field.measure(BURN)] as const,
  );
  field.end();
  const measured = times.slice(WARM_UP);
  return {
    workload: FAIRNESS.name,
    rounds,
    attacked: spreadOf(measured.map(([attacked]) => attacked)),
    control: spreadOf(measured.map(([, control]) => control)),
    share: spreadOf(measured.map(([attacked, control]) => control / attacked)),
    target: TARGET,
    nulls: field.count(NULLS),
    refused: field.count(HITS),
  };
}
