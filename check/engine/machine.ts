/**
 * The machine: executes one schedule of a program. A CPU is suspended by a throw at a step, and resumed by
 * running its current call again from the start, with the results that its steps had. A nested call is a
 * plain nested call; a CPU that dies is never resumed.
 *
 * Scheduling points. Steps on words that only one CPU ever touches commute with everything that other
 * CPUs do, so the machine switches only at steps on *shared* words. Which are shared is found out: when a
 * second CPU touches a word that was taken for private, the word is remembered, and whoever searches
 * starts over (`sharedGrew`). The set only grows, so that ends, and then no execution touches a word of
 * another CPU at any but a scheduling point. Nested calls and deaths are possible at every step.
 */
import { DEAD, DONE, MAX_DEPTH, MAX_LOG, ModelCpu, RUNNABLE } from "./cpu.ts";
import {
  argumentOf,
  cpuOf,
  DEFAULT_LIMITS,
  type Decision,
  decision,
  KILL,
  KIND_MASK,
  type Limits,
  NEST,
  RUN,
} from "./decisions.ts";
import { Memory, mixA, mixB } from "./memory.ts";
import { isAtomic, keyOf, OP_NAMES, type Op, wrote, ZERO } from "./operations.ts";
import { setPerformer } from "./primitive.ts";
import { Races } from "./races.ts";
import type { Call, Prepared, Program } from "./scenario.ts";
import type { Strategy, TraceEntry } from "./strategy.ts";
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
  limits: Limits = DEFAULT_LIMITS;
  /** Word -> 1 if two CPUs touch it. */
  readonly shared: Uint8Array;
  sharedGrew = false;
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
  trace: TraceEntry[] | undefined;
  private readonly toucher: Int8Array;
  private readonly races: Races;
  private strategy: Strategy | undefined;
  private live = 0;
  private unwinding = false;
  private settling = false;
  private pending: Decision = -1;
  private granted = false;
  private running: ModelCpu;

  constructor(prepared: Prepared) {
    this.prepared = prepared;
    this.memory = new Memory(prepared.words);
    this.cpus = Array.from({ length: prepared.cpus }, (_, id) => new ModelCpu(id));
    this.running = this.cpus[0];
    this.shared = new Uint8Array(prepared.words.length);
    this.toucher = new Int8Array(prepared.words.length).fill(-1);
    this.races = new Races(prepared.words.length, prepared.cpus);
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

  /**
   * Where the execution is: the current CPU, its steps so far, the budgets used. Unlike a count of decisions it
   * stays the same when more words turn out to be shared.
   */
  get place(): number {
    return ((this.current * 8 + this.nestedCalls) * 8 + this.deaths) * 65536 + this.cpus[this.current].steps;
  }

  private finish(): void {
    const dead = this.cpus.filter((cpu) => cpu.state === DEAD).map((cpu) => cpu.id);
    setPerformer({ access: (op, at, a, b) => this.memory.perform(op, at, a, b) });
    this.prepared.quiesce?.(dead);
    setPerformer(undefined);
    this.prepared.finish(dead);
  }

  private start(program: Program): void {
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
    this.sharedGrew = false;
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

  private gaveUp = false;

  private kill(cpu: ModelCpu): void {
    this.deaths++;
    this.live--;
    cpu.state = DEAD;
    this.trace?.push({ cpu: cpu.id, level: 0, text: "dies", stack: "" });
  }

  private resumeWith(cpu: ModelCpu, next: Decision): void {
    this.granted = true;
    this.grant = next;
    this.resume(cpu);
  }

  /** What the resumed CPU is to do at the step where it was suspended. */
  private grant: Decision = -1;

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
      this.note(cpu, `call ${call.name}`);
    }
    cpu.position = 0;
    cpu.level = 0;
    const result = call.run(cpu.id, cpu.argument);
    if (this.unwinding) throw SUSPEND;
    if (cpu.isReplaying)
      throw new Violation("divergence", `CPU ${cpu.id}: ${call.name} took fewer steps when repeated`);
    call.done?.(cpu.id, cpu.argument, result);
    cpu.call++;
    cpu.begun = false;
    cpu.forget();
    const place = this.prepared.fingerprint(cpu.id);
    cpu.seenA = mixA(cpu.call, place);
    cpu.seenB = mixB(cpu.call, place);
  }

  // -- a step of the code under test ------------------------------------------------------------

  access(op: Op, at: number, a: number, b: number): number {
    if (this.unwinding) throw SUSPEND; // a finally block, on the way out
    const cpu = this.running;
    for (;;) {
      if (cpu.position < cpu.length) {
        const key = cpu.keys[cpu.position];
        const value = cpu.log[cpu.position++];
        if (key === NESTED) {
          this.nest(cpu, value);
          continue;
        }
        if (key !== keyOf(op, at)) this.diverged(cpu, op, at);
        return value;
      }
      cpu.op = op;
      cpu.at = at;
      cpu.a = a;
      cpu.b = b;
      const next = this.nextDecision(cpu, op, at, a);
      if ((next & KIND_MASK) === RUN) return this.perform(cpu);
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
    this.touch(cpu, op, at, a);
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
    this.unwinding = true;
    throw SUSPEND;
  }

  /** Remembers who touches which words, and finds those that two CPUs do. */
  private touch(cpu: ModelCpu, op: Op, at: number, a: number): void {
    const words = op === ZERO ? a : 1;
    for (let word = at; word < at + words && word < this.toucher.length; word++) {
      if (word < 0 || this.toucher[word] === cpu.id) continue;
      if (this.toucher[word] === -1) this.toucher[word] = cpu.id;
      else if (this.shared[word] === 0) {
        this.shared[word] = 1;
        this.sharedGrew = true;
      }
    }
  }

  private isPoint(op: Op, at: number): boolean {
    if (this.nestedCalls < this.limits.nested || this.deaths < this.limits.deaths) return true;
    return this.isShared(op, at);
  }

  /** True if another CPU may touch what the step touches. Plain steps are ordered by atomic ones, or race. */
  private isShared(op: Op, at: number): boolean {
    return isAtomic(op) && this.shared[at] === 1;
  }

  private perform(cpu: ModelCpu): number {
    const { op, at, a, b } = cpu;
    if (++this.steps > this.limits.steps)
      throw new Violation("step-bound", `more than ${this.limits.steps} steps: a livelock?`);
    cpu.steps++;
    const before = this.trace === undefined ? 0 : this.memory.words[at];
    const value = this.memory.perform(op, at, a, b);
    if (at >= 0 && at < this.memory.words.length) this.races.step(cpu.id, op, at, a, wrote(op, value, a));
    this.log(cpu, value, keyOf(op, at));
    cpu.seenA = mixA(cpu.seenA ^ at, value + cpu.level);
    cpu.seenB = mixB(cpu.seenB ^ value, at + cpu.level);
    if (this.trace !== undefined) this.traceStep(cpu, before);
    return value;
  }

  private log(cpu: ModelCpu, value: number, key: number): void {
    if (cpu.length >= MAX_LOG) throw new Violation("step-bound", `one call takes more than ${MAX_LOG} steps`);
    cpu.keys[cpu.length] = key;
    cpu.log[cpu.length++] = value;
    cpu.position = cpu.length;
  }

  private diverged(cpu: ModelCpu, op: Op, at: number): never {
    throw new Violation(
      "divergence",
      `CPU ${cpu.id}, step ${cpu.position} of the call: ${OP_NAMES[op]} of word ${at} was another step the first time: ` +
        "the code under test keeps state outside the heap",
    );
  }

  // -- nested calls -----------------------------------------------------------------------------

  private beginNested(cpu: ModelCpu, which: number): void {
    this.nestedCalls++;
    cpu.seenA = mixA(cpu.seenA, ~which);
    cpu.seenB = mixB(cpu.seenB, ~which);
    this.note(cpu, `nested call ${this.prepared.nested[which].name}`);
    this.log(cpu, which, NESTED);
    const argument = this.prepared.nested[which].begin?.(cpu.id) ?? 0;
    this.log(cpu, argument, ARGUMENT);
    cpu.position = cpu.length - 1;
    this.nest(cpu, which);
  }

  private nest(cpu: ModelCpu, which: number): void {
    const call: Call = this.prepared.nested[which];
    const argument = cpu.log[cpu.position++];
    cpu.level++;
    const result = call.run(cpu.id, argument);
    cpu.level--;
    if (this.unwinding) throw SUSPEND;
    if (cpu.isReplaying) {
      if (cpu.keys[cpu.position++] !== ENDED)
        throw new Violation("divergence", `CPU ${cpu.id}: nested ${call.name}`);
      return;
    }
    call.done?.(cpu.id, argument, result);
    this.log(cpu, 0, ENDED);
    this.note(cpu, `nested call ${call.name} returns ${result}`);
  }

  // -- decisions --------------------------------------------------------------------------------

  private decide(): Decision {
    this.enumerate();
    if (this.optionCount === 0) throw new Violation("divergence", "nobody can run");
    const strategy = this.strategy as Strategy;
    const next = strategy.pick(this);
    if (next < 0) return -1;
    this.places[this.decisionCount] = this.place;
    this.decisions[this.decisionCount++] = next;
    if ((next & KIND_MASK) === KILL) return next;
    if (cpuOf(next) !== this.current) {
      if (this.cpus[this.current].state === RUNNABLE) this.preemptions++;
      this.current = cpuOf(next);
    }
    return next;
  }

  private enumerate(): void {
    let count = 0;
    const { options, limits } = this;
    const current = this.cpus[this.current];
    const goesOn = current.state === RUNNABLE;
    // at a step that only its own CPU can see, another CPU's turn would come just as well later
    const worthIt = !goesOn || this.isShared(current.op, current.at);
    const maySwitch = worthIt && (!goesOn || this.preemptions < limits.preemptions);
    if (goesOn) options[count++] = decision(RUN, current.id);
    for (const cpu of this.cpus) {
      if (cpu.state !== RUNNABLE || (cpu !== current && !maySwitch)) continue;
      if (cpu !== current) options[count++] = decision(RUN, cpu.id);
      if (this.nestedCalls < limits.nested && cpu.level < Math.min(limits.depth, MAX_DEPTH)) {
        for (let k = 0; k < this.prepared.nested.length; k++) options[count++] = decision(NEST, cpu.id, k);
      }
      if (this.deaths < limits.deaths) options[count++] = decision(KILL, cpu.id);
    }
    this.optionCount = count;
  }

  // -- reports ----------------------------------------------------------------------------------

  private note(cpu: ModelCpu, text: string): void {
    this.trace?.push({ cpu: cpu.id, level: cpu.level, text, stack: "" });
  }

  private traceStep(cpu: ModelCpu, before: number): void {
    const { op, at } = cpu;
    const after = this.memory.words[at];
    const change = after === before ? `${before}` : `${before} -> ${after}`;
    const stack = new Error().stack ?? "";
    this.trace?.push({ cpu: cpu.id, level: cpu.level, text: `${OP_NAMES[op]} [${at}] ${change}`, stack });
  }
}
