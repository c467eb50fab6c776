/** A CPU of the model: where it is in its program, and what its current call has seen so far. */
import { mixA, mixB } from "./memory.ts";
import { OP_NAMES, type Op } from "./operations.ts";
import type { Call } from "./scenario.ts";
import { Violation } from "./violation.ts";

/** Steps of one call, those nested in it included. */
export const MAX_LOG = 16384;
export const MAX_DEPTH = 3;

export const RUNNABLE = 0;
export const DONE = 1;
export const DEAD = 2;
export type CpuState = 0 | 1 | 2;

export class ModelCpu {
  readonly id: number;
  calls: readonly Call[] = [];
  state: CpuState = RUNNABLE;
  /** Index of the current call, its argument, and whether it has begun. */
  call = 0;
  argument = 0;
  begun = false;
  /** Results of the current call's steps; for each, what step it was, to tell that a replay diverged. */
  readonly log = new Int32Array(MAX_LOG);
  readonly keys = new Float64Array(MAX_LOG);
  length = 0;
  /** How much of the log the present execution of the call has consumed. */
  position = 0;
  /** Depth of nesting: 0 in the call itself. */
  level = 0;
  /** At each depth: the call, and how many steps it has taken itself. */
  readonly callAt: Call[] = [];
  readonly ownSteps = new Int32Array(MAX_DEPTH + 1);
  /** The step this CPU will take next. */
  op: Op = 0;
  at = -1;
  a = 0;
  b = 0;
  /** Hash of what this CPU has seen: its place in the program and all results in the current call. */
  seenA = 0;
  seenB = 0;
  steps = 0;

  constructor(id: number) {
    this.id = id;
  }

  start(calls: readonly Call[]): void {
    this.calls = calls;
    this.state = RUNNABLE;
    this.call = 0;
    this.begun = false;
    this.steps = 0;
    this.level = 0;
    this.at = -1;
    this.seenA = 0;
    this.seenB = 0;
    this.forget();
  }

  /** A call begins at the present depth; it has not begun before. */
  enter(call: Call): void {
    this.callAt[this.level] = call;
    this.ownSteps[this.level] = 0;
  }

  /** A step of the current call, and its result; or another entry of the log. */
  record(key: number, value: number): void {
    if (this.length >= MAX_LOG)
      throw new Violation("step-bound", `one call takes more than ${MAX_LOG} steps`);
    this.keys[this.length] = key;
    this.log[this.length++] = value;
    this.position = this.length;
  }

  /** What it learns by a step. */
  see(at: number, value: number): void {
    this.seenA = mixA(this.seenA ^ at, value + this.level);
    this.seenB = mixB(this.seenB ^ value, at + this.level);
  }

  /** The current call has ended: its log is not needed again, and what it saw only as far as `fingerprint` says. */
  endCall(fingerprint: number): void {
    this.call++;
    this.begun = false;
    this.seenA = mixA(this.call, fingerprint);
    this.seenB = mixB(this.call, fingerprint);
    this.forget();
  }

  /** The current call, executed once more, took this step where it took another one before. */
  diverged(op: Op, at: number): never {
    throw new Violation(
      "divergence",
      `CPU ${this.id}, step ${this.position} of the call: ${OP_NAMES[op]} of word ${at} was another step the first time: ` +
        "the code under test keeps state outside the heap",
    );
  }

  private forget(): void {
    this.length = 0;
    this.position = 0;
  }

  get isReplaying(): boolean {
    return this.position < this.length;
  }
}
