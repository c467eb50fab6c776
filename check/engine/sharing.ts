/**
 * Which words CPUs share: those that two of them touch, one of them to write. Steps on all others commute with
 * everything that other CPUs do. Which words are shared is found out: when a touch makes a word shared that
 * was not, whoever searches starts over (`grew`). The set only grows, so that ends, and then no execution has a
 * conflict on a word that is not in it.
 */
import { mayWrite, type Op, ZERO } from "./operations.ts";

const NOBODY = -1;
const SEVERAL = -2;

export class Sharing {
  /** Word -> 1 if CPUs share it. */
  readonly shared: Uint8Array;
  /** A word became shared since this was last set to false. */
  grew = false;
  private readonly toucher: Int8Array;
  private readonly written: Uint8Array;

  constructor(words: number) {
    this.shared = new Uint8Array(words);
    this.toucher = new Int8Array(words).fill(NOBODY);
    this.written = new Uint8Array(words);
  }

  /** A CPU is about to take a step; `a` is the step's first argument. */
  touch(cpu: number, op: Op, at: number, a: number): void {
    const from = Math.max(at, 0);
    const end = Math.min(op === ZERO ? at + a : at + 1, this.shared.length);
    for (let word = from; word < end; word++) this.touchWord(cpu, mayWrite(op), word);
  }

  private touchWord(cpu: number, writes: boolean, word: number): void {
    if (this.shared[word] === 1) return;
    const before = this.toucher[word];
    if (before !== cpu) this.toucher[word] = before === NOBODY ? cpu : SEVERAL;
    if (writes) this.written[word] = 1;
    if (this.toucher[word] !== SEVERAL || this.written[word] === 0) return;
    this.shared[word] = 1;
    this.grew = true;
  }
}
