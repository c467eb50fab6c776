/**
 * Depth first with a bound on preemptions (machine.limits.preemptions): every schedule that switches away
 * from a CPU that could go on at most that often. No sleep sets and no cache: they are unsound with a bound.
 */
import type { Decision } from "../engine/decisions.ts";
import type { Machine } from "../engine/machine.ts";
import type { Strategy } from "../engine/strategy.ts";

const MAX_DECISIONS = 1 << 15;

export class Bounded implements Strategy {
  private readonly chosen = new Int32Array(MAX_DECISIONS);
  private readonly choices = new Int32Array(MAX_DECISIONS);
  private length = 0;
  private depth = 0;

  restart(): void {
    this.length = 0;
  }

  begin(): void {
    this.depth = 0;
  }

  pick(machine: Machine): Decision {
    const depth = this.depth++;
    if (depth >= this.length) {
      this.chosen[depth] = 0;
      this.choices[depth] = machine.optionCount;
      this.length = depth + 1;
    }
    return machine.options[this.chosen[depth]];
  }

  /** Goes to the next schedule. Returns false when all are done. */
  next(): boolean {
    while (this.length > 0) {
      const last = this.length - 1;
      if (++this.chosen[last] < this.choices[last]) return true;
      this.length--;
    }
    return false;
  }
}
