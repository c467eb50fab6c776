/**
 * The happens-before race detector: vector clocks, by word. (DJIT+.) An atomic read takes over the clock
 * of the last atomic write to the word; two accesses of one word by two CPUs, one of them a write and
 * not both atomic, race if neither happens before the other.
 *
 * The heap is only ever accessed by words, so words are as fine as it gets. Words that no two CPUs share cannot
 * race, and order nothing.
 *
 * A search that leaves out what it has seen before may take two states for one only if the CPUs' *open* accesses
 * are the same: those that a CPU has made since it last published anything. For if two accesses race in any
 * schedule, then they do in one that takes them with nothing published in between; and where both are open, on
 * whatever path, the second one was seen to race.
 */
import { mixA, mixB } from "./memory.ts";
import { CAS, isAtomic, LOAD, OP_NAMES, type Op, READ, STORE, WRITE, ZERO } from "./operations.ts";
import { type Site, Violation } from "./violation.ts";

export class Races {
  /** Per CPU: two independent hashes of its open accesses. */
  readonly openA: Int32Array;
  readonly openB: Int32Array;
  /** While a schedule is traced: where each access was, by its place in `reads` and, behind those, `writes`. */
  stacks: Map<number, string> | undefined;
  private readonly shared: Uint8Array;
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

  /** `shared`: word -> 1 if two CPUs touch it. It may grow. */
  constructor(shared: Uint8Array, cpus: number) {
    const words = shared.length;
    this.shared = shared;
    this.cpus = cpus;
    this.openA = new Int32Array(cpus);
    this.openB = new Int32Array(cpus);
    this.clocks = new Int32Array(cpus * cpus);
    this.released = new Int32Array(words * cpus);
    this.reads = new Int32Array(words * cpus);
    this.writes = new Int32Array(words * cpus);
    this.touched = new Int32Array(words);
    this.isTouched = new Uint8Array(words);
    this.reset();
  }

  reset(): void {
    const { cpus, touched, released, reads, writes } = this;
    for (let i = 0; i < this.touchedCount; i++) {
      const from = touched[i] * cpus;
      for (let at = from; at < from + cpus; at++) {
        released[at] = 0;
        reads[at] = 0;
        writes[at] = 0;
      }
      this.isTouched[touched[i]] = 0;
    }
    this.touchedCount = 0;
    this.clocks.fill(0);
    for (let cpu = 0; cpu < cpus; cpu++) this.clocks[cpu * cpus + cpu] = 1;
    this.openA.fill(0);
    this.openB.fill(0);
    this.stacks?.clear();
  }

  /** Records a step of a CPU. `wrote`: memory may have been changed. Throws if it races with an earlier one. */
  step(cpu: number, op: Op, at: number, count: number, wrote: boolean, stack: string): void {
    const end = op === ZERO ? at + count : at + 1;
    for (let word = at; word < end; word++) {
      if (this.shared[word] === 1) this.stepWord(cpu, op, word, wrote, stack);
    }
  }

  private stepWord(cpu: number, op: Op, word: number, wrote: boolean, stack: string): void {
    const { cpus, clocks } = this;
    const base = word * cpus;
    const own = cpu * cpus;
    const atomic = isAtomic(op);
    if (this.isTouched[word] === 0) {
      this.isTouched[word] = 1;
      this.touched[this.touchedCount++] = word;
    }
    if (atomic && op !== STORE) this.acquire(base, own);
    this.compare(cpu, op, word, wrote, stack);
    const now = clocks[own + cpu] * 2 + (atomic ? 1 : 0);
    if (atomic && wrote) this.release(cpu, base, own);
    if (wrote) this.note(this.writes, cpu, base + cpu, now);
    if (op === LOAD || op === READ || op === CAS) this.note(this.reads, cpu, base + cpu, now);
    this.stacks?.set(wrote ? this.reads.length + base + cpu : base + cpu, stack);
  }

  private acquire(base: number, own: number): void {
    const { cpus, clocks, released } = this;
    for (let other = 0; other < cpus; other++) {
      if (released[base + other] > clocks[own + other]) clocks[own + other] = released[base + other];
    }
  }

  private release(cpu: number, base: number, own: number): void {
    const { cpus, clocks, released } = this;
    for (let other = 0; other < cpus; other++) released[base + other] = clocks[own + other];
    clocks[own + cpu]++;
    this.openA[cpu] = 0;
    this.openB[cpu] = 0;
  }

  /** Notes the time of an access. It is open from here on, if it was not. */
  private note(times: Int32Array, cpu: number, at: number, now: number): void {
    if (times[at] === now) return;
    times[at] = now;
    const access = times === this.writes ? ~at : at;
    this.openA[cpu] ^= mixA(access, now & 1);
    this.openB[cpu] ^= mixB(access, now & 1);
  }

  private compare(cpu: number, op: Op, word: number, wrote: boolean, stack: string): void {
    const { cpus, clocks } = this;
    const atomic = isAtomic(op);
    for (let other = 0; other < cpus; other++) {
      if (other === cpu) continue;
      const known = clocks[cpu * cpus + other];
      const write = this.writes[word * cpus + other];
      if (write >> 1 > known && !(atomic && (write & 1) === 1))
        this.report(cpu, op, word, other, WRITE, stack);
      const read = this.reads[word * cpus + other];
      if (wrote && read >> 1 > known && !(atomic && (read & 1) === 1))
        this.report(cpu, op, word, other, READ, stack);
    }
  }

  private report(cpu: number, op: Op, word: number, other: number, what: Op, stack: string): never {
    const access = word * this.cpus + other + (what === WRITE ? this.reads.length : 0);
    const sites: Site[] = [
      { cpu: other, what: OP_NAMES[what], stack: this.stacks?.get(access) ?? "" },
      { cpu, what: OP_NAMES[op], stack },
    ];
    throw new Violation(
      "race",
      `data race on word ${word}: ${OP_NAMES[op]} by CPU ${cpu}, ${OP_NAMES[what]} by CPU ${other}, in no order`,
      sites,
    );
  }
}
