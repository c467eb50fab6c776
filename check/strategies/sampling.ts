/**
 * Two ways to sample schedules, each with a guarantee of its own. Nested calls and deaths come at places that
 * are uniform over the run, not by a coin at each step.
 *
 * Pct (Burckhardt et al., 2010): the runnable CPU of the highest priority goes on; at depth - 1 random places its
 * priority drops to the bottom. Finds a bug of depth d with a probability of at least 1 / (cpus * steps^(d-1)).
 *
 * Pos (Yuan et al., 2018): every pending step has a random priority; a step that conflicts with the one just
 * taken gets a new one.
 */

import { RUNNABLE } from "../engine/cpu.ts";
import { type Decision, decision, KILL, NEST, RUN } from "../engine/decisions.ts";
import type { Machine } from "../engine/machine.ts";
import { mayWrite } from "../engine/operations.ts";
import type { Strategy } from "../engine/strategy.ts";
import { Random } from "./random.ts";

/** What both have: where nested calls and deaths come, and which of the options there are is taken. */
abstract class Sampler implements Strategy {
  protected readonly random: Random;
  protected time = 0;
  private length: number;
  private nestAt: number[] = [];
  private killAt: number[] = [];

  /** `length`: about how many decisions an execution has. It learns. */
  constructor(seed: number, length = 64) {
    this.random = new Random(seed);
    this.length = Math.max(length, 1);
  }

  begin(machine: Machine): void {
    this.length = Math.max(this.length, this.time);
    this.time = 0;
    this.nestAt = this.places(machine.limits.nested);
    this.killAt = this.places(machine.limits.deaths);
    this.shuffle(machine, this.length);
  }

  pick(machine: Machine): Decision {
    const time = this.time++;
    const cpu = this.next(machine, time);
    if (this.nestAt.includes(time)) {
      const nested = decision(NEST, cpu, this.random.below(machine.prepared.nested.length));
      if (isOption(machine, nested)) return nested;
    }
    if (this.killAt.includes(time) && isOption(machine, decision(KILL, cpu))) return decision(KILL, cpu);
    const run = decision(RUN, cpu);
    return isOption(machine, run) ? run : machine.options[0];
  }

  protected abstract shuffle(machine: Machine, length: number): void;
  /** The CPU to go on. */
  protected abstract next(machine: Machine, time: number): number;

  private places(count: number): number[] {
    return Array.from({ length: count }, () => this.random.below(this.length));
  }
}

export class Pct extends Sampler {
  private readonly depth: number;
  private priorities: number[] = [];
  private drops: number[] = [];

  constructor(seed: number, depth: number, length?: number) {
    super(seed, length);
    this.depth = depth;
  }

  protected shuffle(machine: Machine, length: number): void {
    this.priorities = machine.cpus.map((_, i) => this.depth + i);
    for (let i = this.priorities.length - 1; i > 0; i--) {
      const j = this.random.below(i + 1);
      [this.priorities[i], this.priorities[j]] = [this.priorities[j], this.priorities[i]];
    }
    this.drops = Array.from({ length: this.depth - 1 }, () => this.random.below(length));
  }

  protected next(machine: Machine, time: number): number {
    for (let i = 0; i < this.drops.length; i++) {
      if (this.drops[i] === time) this.priorities[highest(machine, this.priorities)] = i;
    }
    return highest(machine, this.priorities);
  }
}

export class Pos extends Sampler {
  private priorities: number[] = [];

  protected shuffle(machine: Machine): void {
    this.priorities = machine.cpus.map(() => this.random.next());
  }

  protected next(machine: Machine): number {
    const best = highest(machine, this.priorities);
    const step = machine.cpus[best];
    for (const cpu of machine.cpus) {
      const conflicts = cpu.at === step.at && (mayWrite(cpu.op) || mayWrite(step.op));
      if (cpu === step || conflicts) this.priorities[cpu.id] = this.random.next();
    }
    return best;
  }
}

function highest(machine: Machine, priorities: readonly number[]): number {
  let best = -1;
  for (const cpu of machine.cpus) {
    if (cpu.state === RUNNABLE && (best < 0 || priorities[cpu.id] > priorities[best])) best = cpu.id;
  }
  return best;
}

function isOption(machine: Machine, wanted: Decision): boolean {
  for (let i = 0; i < machine.optionCount; i++) if (machine.options[i] === wanted) return true;
  return false;
}
