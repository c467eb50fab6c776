/**
 * The happens-before race detector: vector clocks, by word. (DJIT+.) An atomic read takes over the clock
 * of the last atomic write to the word; two accesses of one word by two CPUs, one of them a write and
 * not both atomic, race if neither happens before the other.
 *
 * The heap is only ever accessed by words, so words are as fine as it gets.
 */
import { CAS, isAtomic, LOAD, OP_NAMES, type Op, READ, STORE, WRITE, ZERO } from "./operations.ts";
import { Violation } from "./violation.ts";

export class Races {
  private readonly cpus: number;
  /** clocks[c * cpus + d]: what CPU c knows of CPU d's time. */
  private readonly clocks: Int32Array;
  /** Per word and CPU: the clock its last atomic write published; the time of its last read and write, * 2 + 1 if atomic. */
  private readonly released: Int32Array;
  private readonly reads: Int32Array;
  private readonly writes: Int32Array;
  private readonly touched: Int32Array;
  private readonly isTouched: Uint8Array;
  private touchedCount = 0;

  constructor(words: number, cpus: number) {
    this.cpus = cpus;
    this.clocks = new Int32Array(cpus * cpus);
    this.released = new Int32Array(words * cpus);
    this.reads = new Int32Array(words * cpus);
    this.writes = new Int32Array(words * cpus);
    this.touched = new Int32Array(words);
    this.isTouched = new Uint8Array(words);
    this.reset();
  }

  reset(): void {
    const { cpus } = this;
    for (let i = 0; i < this.touchedCount; i++) {
      const from = this.touched[i] * cpus;
      this.released.fill(0, from, from + cpus);
      this.reads.fill(0, from, from + cpus);
      this.writes.fill(0, from, from + cpus);
      this.isTouched[this.touched[i]] = 0;
    }
    this.touchedCount = 0;
    this.clocks.fill(0);
    for (let cpu = 0; cpu < cpus; cpu++) this.clocks[cpu * cpus + cpu] = 1;
  }

  /** Records a step of a CPU. `wrote`: memory may have been changed. Throws if it races with an earlier one. */
  step(cpu: number, op: Op, at: number, count: number, wrote: boolean): void {
    const words = op === ZERO ? count : 1;
    for (let word = at; word < at + words; word++) this.stepWord(cpu, op, word, wrote);
  }

  private stepWord(cpu: number, op: Op, word: number, wrote: boolean): void {
    const { cpus, clocks } = this;
    const base = word * cpus;
    const own = cpu * cpus;
    const atomic = isAtomic(op);
    if (this.isTouched[word] === 0) {
      this.isTouched[word] = 1;
      this.touched[this.touchedCount++] = word;
    }
    if (atomic && op !== STORE) {
      for (let other = 0; other < cpus; other++) {
        if (this.released[base + other] > clocks[own + other])
          clocks[own + other] = this.released[base + other];
      }
    }
    this.compare(cpu, op, word, atomic, wrote);
    const now = clocks[own + cpu] * 2 + (atomic ? 1 : 0);
    if (wrote) this.writes[base + cpu] = now;
    if (op === LOAD || op === READ || op === CAS) this.reads[base + cpu] = now;
    if (atomic && wrote) {
      for (let other = 0; other < cpus; other++) this.released[base + other] = clocks[own + other];
      clocks[own + cpu]++;
    }
  }

  private compare(cpu: number, op: Op, word: number, atomic: boolean, wrote: boolean): void {
    const { cpus, clocks } = this;
    for (let other = 0; other < cpus; other++) {
      if (other === cpu) continue;
      const known = clocks[cpu * cpus + other];
      const write = this.writes[word * cpus + other];
      if (write >> 1 > known && !(atomic && (write & 1) === 1)) this.report(cpu, op, word, other, WRITE);
      const read = this.reads[word * cpus + other];
      if (wrote && read >> 1 > known && !(atomic && (read & 1) === 1))
        this.report(cpu, op, word, other, READ);
    }
  }

  private report(cpu: number, op: Op, word: number, other: number, what: Op): never {
    throw new Violation(
      "race",
      `data race on word ${word}: ${OP_NAMES[op]} by CPU ${cpu}, ${OP_NAMES[what]} by CPU ${other}, in no order`,
    );
  }
}
