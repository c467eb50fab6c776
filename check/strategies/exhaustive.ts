/**
 * Every schedule of a program: depth first, with sleep sets and a cache of states (Godefroid). A state that
 * was met before is gone on from only with what its earlier visits left asleep.
 *
 * Transitions of a state are bits of a word: RUN cpu -> cpu, NEST cpu k -> 8 + 4 * cpu + k, KILL cpu -> 24 + cpu;
 * so at most 4 CPUs and 4 nested calls. Sleep sets are unsound with a preemption bound: there is none here.
 */

import { argumentOf, cpuOf, type Decision, KILL, KIND_MASK, RUN } from "../engine/decisions.ts";
import type { Machine } from "../engine/machine.ts";
import { mixA, mixB } from "../engine/memory.ts";
import { mayWrite } from "../engine/operations.ts";
import { obituaryOf } from "../engine/scenario.ts";
import type { Strategy } from "../engine/strategy.ts";
import { StateTable } from "./state-table.ts";

const MAX_DECISIONS = 1 << 15;

export class Exhaustive implements Strategy {
  private readonly states = new StateTable();
  private readonly todo = new Int32Array(MAX_DECISIONS);
  private readonly asleep = new Int32Array(MAX_DECISIONS);
  private readonly chosen = new Int8Array(MAX_DECISIONS);
  private length = 0;
  private depth = 0;
  private sleeping = 0;

  /** Forgets everything: for a new program, or when more words turned out to be shared. */
  restart(): void {
    this.states.clear();
    this.length = 0;
  }

  get stateCount(): number {
    return this.states.count;
  }

  begin(): void {
    this.depth = 0;
    this.sleeping = 0;
  }

  pick(machine: Machine): Decision {
    const depth = this.depth++;
    if (depth >= this.length && !this.visit(machine, depth)) return -1;
    const bit = this.chosen[depth];
    this.sleeping = this.stillAsleep(machine, this.asleep[depth], bit);
    for (let i = 0; i < machine.optionCount; i++) {
      if (bitOf(machine.options[i]) === bit) return machine.options[i];
    }
    throw new Error("the schedule cannot be repeated: the code under test keeps state outside the heap");
  }

  /** Goes to the next schedule. Returns false when all are done. */
  next(): boolean {
    while (this.length > 0) {
      const last = this.length - 1;
      const done = 1 << this.chosen[last];
      this.todo[last] &= ~done;
      this.asleep[last] |= done;
      if (this.todo[last] !== 0) {
        this.chosen[last] = lowestBit(this.todo[last]);
        return true;
      }
      this.length--;
    }
    return false;
  }

  /** A state at the end of the path so far. Returns false if nothing is left to do in it. */
  private visit(machine: Machine, depth: number): boolean {
    let enabled = 0;
    for (let i = 0; i < machine.optionCount; i++) enabled |= 1 << bitOf(machine.options[i]);
    const todo = this.states.visit(stateKey(machine), enabled, this.sleeping);
    if (todo === 0) return false;
    this.todo[depth] = todo;
    this.asleep[depth] = this.states.asleep;
    const first = bitOf(machine.options[0]);
    this.chosen[depth] = (todo >>> first) & 1 ? first : lowestBit(todo);
    this.length = depth + 1;
    return true;
  }

  /** Those of the sleeping transitions that commute with `taken`. */
  private stillAsleep(machine: Machine, asleep: number, taken: number): number {
    let rest = 0;
    for (let bits = asleep; bits !== 0; bits &= bits - 1) {
      const bit = lowestBit(bits);
      if (independent(machine, bit, taken)) rest |= 1 << bit;
    }
    return rest;
  }
}

function bitOf(d: Decision): number {
  const kind = d & KIND_MASK;
  if (kind === RUN) return cpuOf(d);
  return kind === KILL ? 24 + cpuOf(d) : 8 + 4 * cpuOf(d) + argumentOf(d);
}

function cpuOfBit(bit: number): number {
  if (bit < 8) return bit;
  return bit >= 24 ? bit - 24 : (bit - 8) >> 2;
}

function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}

/**
 * Two steps of different CPUs commute unless they touch one word and one may write it; a death writes its obituary.
 * Nested calls and deaths share a budget.
 */
function independent(machine: Machine, one: number, other: number): boolean {
  const a = machine.cpus[cpuOfBit(one)];
  const b = machine.cpus[cpuOfBit(other)];
  if (a === b) return false;
  if (one >= 8 && other >= 8) return false;
  if (one >= 24) return b.at !== obituaryOf(machine.prepared, a.id);
  if (other >= 24) return a.at !== obituaryOf(machine.prepared, b.id);
  if (one >= 8 || other >= 8) return true;
  return a.at !== b.at || !(mayWrite(a.op) || mayWrite(b.op));
}

/** 53 bits that stand for memory, each CPU's place, past and open accesses, and the budgets used. */
function stateKey(machine: Machine): number {
  const { openA, openB } = machine.races;
  let a = machine.memory.hashA;
  let b = machine.memory.hashB;
  for (const { id, state, seenA, seenB } of machine.cpus) {
    a = mixA(a ^ mixA(seenA, openA[id]), id * 8 + state);
    b = mixB(b ^ mixB(seenB, openB[id]), id * 8 + state);
  }
  a = mixA(a, machine.nestedCalls * 16 + machine.deaths);
  b = mixB(b, machine.nestedCalls * 16 + machine.deaths);
  return (a >>> 0) * 2097152 + (b >>> 11) + 1;
}
