/**
 * The oracle "progress": a call ends within a bound of its own steps, whatever the others do, and also when they do
 * nothing any more. That is what lock-free code promises where others can make a call repeat itself only so often
 * as they succeed, and they have few calls. Whoever waits for another one is found by the schedule that leaves that
 * one where it is.
 */
import type { ModelCpu } from "./cpu.ts";
import { Violation } from "./violation.ts";

export interface LongestCall {
  readonly name: string;
  readonly steps: number;
}

export class Progress {
  /** The longest call in all executions so far. */
  longest: LongestCall = { name: "", steps: 0 };

  /** The CPU takes a step. Throws if it is one more than the call it is in may have. */
  step(cpu: ModelCpu, limit: number): void {
    const steps = ++cpu.ownSteps[cpu.level];
    if (steps <= this.longest.steps && steps <= limit) return;
    const { name } = cpu.callAt[cpu.level];
    if (steps > limit)
      throw new Violation("progress", `CPU ${cpu.id}: ${name} takes more than ${limit} steps of its own`);
    this.longest = { name, steps };
  }
}

export function longer(a: LongestCall, b: LongestCall): LongestCall {
  return b.steps > a.steps ? b : a;
}
