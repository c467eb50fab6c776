/**
 * The machine: executes one schedule of a program. A CPU is suspended by a throw at a step, and resumed by
 * running its current call again from the start, with the results that its steps had. A nested call is a
 * plain nested call; a CPU that dies is never resumed.
 *
 * Scheduling points. Steps on words that only one CPU touches, or that nobody writes, commute with everything that
 * other CPUs do, so the machine switches only at steps on *shared* words (sharing.ts). Which are shared is found
 * out on the way; when one more is, whoever searches starts over (`sharedGrew`). Nested calls and deaths are
 * possible at every step.
 */
import { DEAD, DONE, ModelCpu, RUNNABLE } from "./cpu.ts";
import {
  argumentOf,
  cpuOf,
  DEFAULT_LIMITS,
  type Decision,
  decision,
  KILL,
  KIND_MASK,
  type Limits,
  RUN,
} from "./decisions.ts";
import { Memory } from "./memory.ts";
import { isAtomic, keyOf, type Op, STORE, wrote } from "./operations.ts";
import { listOptions } from "./options.ts";
import { setPerformer } from "./primitive.ts";
import { Progress } from "./progress.ts";
import { Races } from "./races.ts";
import { type Call, obituaryOf, type Prepared, type Program } from "./scenario.ts";
import { Sharing } from "./sharing.ts";
import type { Strategy } from "./strategy.ts";
import type { Trace } from "./trace.ts";
import { asViolation, Violation } from "./violation.ts";

const SUSPEND = { suspended: true };
/** Keys of log entries that are no steps: a nested call begins (the value says which), its argument, its end. */
const NESTED = -1;
const ARGUMENT = -2;
const ENDED = -3;

export class Machine {
  readonly prepared: Prepared;
  readonly memory: Memory;
  readonly cpus: readonly ModelCpu[];
  readonly races: Races;
  readonly progress = new Progress();
  limits: Limits = DEFAULT_LIMITS;
  /** Every step is a scheduling point: for replays, which must not depend on what a search found to be shared. */
  stopsEverywhere = false;
  /** The decisions possible now; the first continues the current CPU, if it can. */
  readonly options = new Int32Array(128);
  optionCount = 0;
  readonly decisions = new Int32Array(1 << 15);
  /** Where each was made. */
  readonly places = new Int32Array(1 << 15);
  decisionCount = 0;
  current = 0;
  preemptions = 0;
  nestedCalls = 0;
  deaths = 0;
  steps = 0;
  totalSteps = 0;
  executions = 0;
  private readonly sharing: Sharing;
  private trace: Trace | undefined;
  private strategy: Strategy | undefined;
  private live = 0;
  private unwinding = false;
  private thrown: unknown;
  private settling = false;
  private gaveUp = false;
  /** A decision that is still to be carried out. */
  private pending: Decision = -1;
  /** What the resumed CPU is to do at the step where it was suspended. */
  private grant: Decision = -1;
  private granted = false;
  private running: ModelCpu;

  constructor(prepared: Prepared) {
    this.prepared = prepared;
    this.memory = new Memory(prepared.words);
    this.cpus = Array.from({ length: prepared.cpus }, (_, id) => new ModelCpu(id));
    this.running = this.cpus[0];
    this.sharing = new Sharing(prepared.words.length);
    this.races = new Races(this.sharing.shared, prepared.cpus);
  }

  /** The last execution made a word shared: what was searched before it is to be searched again. */
  get sharedGrew(): boolean {
    return this.sharing.grew;
  }

  /** Executions from here on are recorded in `trace`; undefined: none. */
  record(trace: Trace | undefined): void {
    this.trace = trace;
    this.races.stacks = trace === undefined ? undefined : new Map();
  }

  /** Executes one schedule. Returns what went wrong, if anything did. */
  execute(program: Program, strategy: Strategy): Violation | undefined {
    this.executions++;
    this.strategy = strategy;
    this.start(program);
    setPerformer(this);
    try {
      this.settle();
      strategy.begin(this);
      if (!this.runToEnd()) return undefined;
      this.finish();
      return undefined;
    } catch (error) {
      return asViolation(error);
    } finally {
      setPerformer(undefined);
      this.totalSteps += this.steps;
    }
  }

  /** Where the execution is. Unlike a count of decisions it stays the same when more words turn out to be shared. */
  get place(): number {
    return ((this.current * 8 + this.nestedCalls) * 8 + this.deaths) * 65536 + this.cpus[this.current].steps;
  }

  private finish(): void {
    const dead = this.cpus.filter((cpu) => cpu.state === DEAD).map((cpu) => cpu.id);
    setPerformer({ access: (op, at, a, b) => this.performAlone(op, at, a, b) });
    this.prepared.quiesce?.(dead);
    setPerformer(undefined);
    this.prepared.finish(dead);
  }

  private start(program: Program): void {
    this.trace?.clear();
    this.memory.reset();
    this.races.reset();
    this.prepared.reset();
    for (const cpu of this.cpus) cpu.start(program[cpu.id] ?? []);
    this.live = this.cpus.length;
    this.current = 0;
    this.decisionCount = 0;
    this.preemptions = 0;
    this.nestedCalls = 0;
    this.deaths = 0;
    this.steps = 0;
    this.pending = -1;
    this.granted = false;
    this.unwinding = false;
    this.gaveUp = false;
    this.sharing.grew = false;
  }

  /** Brings each CPU to its first scheduling point, so that its next step is known. */
  private settle(): void {
    this.settling = true;
    for (const cpu of this.cpus) this.resume(cpu);
    this.settling = false;
  }

  /** Returns false if the strategy gave the execution up. */
  private runToEnd(): boolean {
    while (this.live > 0) {
      const next = this.pending >= 0 ? this.pending : this.decide();
      this.pending = -1;
      if (next < 0) return false;
      const cpu = this.cpus[cpuOf(next)];
      if ((next & KIND_MASK) === KILL) this.kill(cpu);
      else this.resumeWith(cpu, next);
      if (this.gaveUp) return false;
    }
    return true;
  }

  private kill(cpu: ModelCpu): void {
    this.deaths++;
    this.live--;
    cpu.state = DEAD;
    this.tell(cpu.id);
    this.trace?.note(cpu, "dies");
  }

  /** As a step of the dead CPU: all that it did comes before, for who reads it. */
  private tell(cpu: number): void {
    const at = obituaryOf(this.prepared, cpu);
    if (at < 0) return;
    this.sharing.touch(cpu, STORE, at, 1);
    this.memory.perform(STORE, at, 1, 0);
    this.races.step(cpu, STORE, at, 1, true, "");
  }

  private resumeWith(cpu: ModelCpu, next: Decision): void {
    this.granted = true;
    this.grant = next;
    this.resume(cpu);
  }

  /** Runs a CPU from the start of its current call until it is suspended or its program ends. */
  private resume(cpu: ModelCpu): void {
    this.running = cpu;
    this.unwinding = false;
    try {
      while (cpu.call < cpu.calls.length) this.runCall(cpu);
      cpu.state = DONE;
      this.live--;
    } catch (error) {
      if (error !== SUSPEND) throw error;
      this.unwinding = false;
    }
  }

  private runCall(cpu: ModelCpu): void {
    const call = cpu.calls[cpu.call];
    if (!cpu.begun) {
      cpu.argument = call.begin?.(cpu.id) ?? 0;
      cpu.begun = true;
      cpu.enter(call);
      this.trace?.note(cpu, `call ${call.name}`);
    }
    cpu.position = 0;
    cpu.level = 0;
    const result = call.run(cpu.id, cpu.argument);
    if (this.unwinding) throw this.thrown;
    if (cpu.isReplaying)
      throw new Violation("divergence", `CPU ${cpu.id}: ${call.name} took fewer steps when repeated`);
    call.done?.(cpu.id, cpu.argument, result);
    cpu.endCall(this.prepared.fingerprint(cpu.id));
  }

  // -- a step of the code under test ------------------------------------------------------------

  access(op: Op, at: number, a: number, b: number): number {
    if (this.unwinding) throw this.thrown; // a finally block, on the way out
    const cpu = this.running;
    for (;;) {
      if (cpu.position < cpu.length) {
        const key = cpu.keys[cpu.position];
        const value = cpu.log[cpu.position++];
        if (key === NESTED) {
          this.nest(cpu, value, false);
          continue;
        }
        if (key !== keyOf(op, at)) cpu.diverged(op, at);
        return value;
      }
      cpu.op = op;
      cpu.at = at;
      cpu.a = a;
      cpu.b = b;
      const next = this.nextDecision(cpu, op, at, a);
      if ((next & KIND_MASK) === RUN) return this.performOrFail(cpu);
      this.beginNested(cpu, argumentOf(next));
    }
  }

  /** Run this CPU, or nest a call in it; anything else suspends it. */
  private nextDecision(cpu: ModelCpu, op: Op, at: number, a: number): Decision {
    if (this.granted) {
      this.granted = false;
      return this.grant;
    }
    const own = decision(RUN, cpu.id);
    this.sharing.touch(cpu.id, op, at, a);
    if (!this.isPoint(op, at)) return own;
    if (this.settling) this.suspend(-1);
    const next = this.decide();
    if (next < 0) {
      this.gaveUp = true;
      this.suspend(-1);
    }
    if (cpuOf(next) !== cpu.id || (next & KIND_MASK) === KILL) this.suspend(next);
    return next;
  }

  private suspend(next: Decision): never {
    this.pending = next;
    this.unwind(SUSPEND);
  }

  /** Leaves the code under test, whatever its finally blocks do. */
  private unwind(thrown: unknown): never {
    this.unwinding = true;
    this.thrown = thrown;
    throw thrown;
  }

  private isPoint(op: Op, at: number): boolean {
    if (this.nestedCalls < this.limits.nested || this.deaths < this.limits.deaths) return true;
    return this.isShared(op, at);
  }

  /** True if another CPU may touch what the step touches. Plain steps are ordered by atomic ones, or race. */
  isShared(op: Op, at: number): boolean {
    return this.stopsEverywhere || (isAtomic(op) && this.sharing.shared[at] === 1);
  }

  private performOrFail(cpu: ModelCpu): number {
    try {
      return this.perform(cpu);
    } catch (error) {
      this.unwind(error);
    }
  }

  private perform(cpu: ModelCpu): number {
    const { op, at, a, b } = cpu;
    this.countStep();
    this.progress.step(cpu, this.limits.callSteps);
    cpu.steps++;
    const { words } = this.memory;
    const before = words[at];
    const value = this.memory.perform(op, at, a, b);
    const stack = this.trace === undefined ? "" : this.trace.step(cpu, before, words[at]);
    if (at >= 0 && at < words.length) this.races.step(cpu.id, op, at, a, wrote(op, value, a), stack);
    cpu.record(keyOf(op, at), value);
    cpu.see(at, value);
    return value;
  }

  /** A step while the heap is brought to rest. */
  private performAlone(op: Op, at: number, a: number, b: number): number {
    this.countStep();
    return this.memory.perform(op, at, a, b);
  }

  private countStep(): void {
    if (++this.steps > this.limits.steps)
      throw new Violation("step-bound", `more than ${this.limits.steps} steps: a livelock?`);
  }

  // -- nested calls -----------------------------------------------------------------------------

  private beginNested(cpu: ModelCpu, which: number): void {
    this.nestedCalls++;
    cpu.see(NESTED, which);
    this.trace?.note(cpu, `nested call ${this.prepared.nested[which].name}`);
    cpu.record(NESTED, which);
    const argument = this.prepared.nested[which].begin?.(cpu.id) ?? 0;
    cpu.record(ARGUMENT, argument);
    cpu.position = cpu.length - 1;
    this.nest(cpu, which, true);
  }

  private nest(cpu: ModelCpu, which: number, isFirst: boolean): void {
    const call: Call = this.prepared.nested[which];
    const argument = cpu.log[cpu.position++];
    cpu.level++;
    if (isFirst) cpu.enter(call);
    const result = this.runNested(cpu, call, argument);
    cpu.level--;
    if (cpu.isReplaying) {
      if (cpu.keys[cpu.position++] !== ENDED)
        throw new Violation("divergence", `CPU ${cpu.id}: nested ${call.name}`);
      return;
    }
    this.endNested(cpu, call, argument, result);
    cpu.record(ENDED, 0);
    this.trace?.note(cpu, `nested call ${call.name} returns ${result}`);
  }

  /** What a nested call throws is a violation, and no business of the call that it interrupted. */
  private runNested(cpu: ModelCpu, call: Call, argument: number): number {
    try {
      const result = call.run(cpu.id, argument);
      if (this.unwinding) throw this.thrown;
      return result;
    } catch (error) {
      this.unwind(error);
    }
  }

  private endNested(cpu: ModelCpu, call: Call, argument: number, result: number): void {
    try {
      call.done?.(cpu.id, argument, result);
    } catch (error) {
      this.unwind(error);
    }
  }

  // -- decisions --------------------------------------------------------------------------------

  private decide(): Decision {
    this.optionCount = listOptions(this, this.options);
    if (this.optionCount === 0) throw new Violation("divergence", "nobody can run");
    const next = (this.strategy as Strategy).pick(this);
    if (next < 0) return -1;
    const preempts = !this.isFree;
    this.places[this.decisionCount] = this.place;
    this.decisions[this.decisionCount++] = next;
    if ((next & KIND_MASK) === KILL) return next;
    if (cpuOf(next) !== this.current) {
      if (preempts) this.preemptions++;
      this.current = cpuOf(next);
    }
    return next;
  }

  /** To go on with another CPU preempts nobody: the current one cannot go on, or none has begun. */
  get isFree(): boolean {
    return this.decisionCount === 0 || this.cpus[this.current].state !== RUNNABLE;
  }
}
