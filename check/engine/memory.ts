/**
 * The model's memory: the heap's words, restored between executions by undoing what was changed, and
 * hashed as it changes, so that equal states are recognised in no time.
 */
import { ADD, CAS, LOAD, type Op, OR, READ, STORE, WRITE, XCHG, ZERO } from "./operations.ts";
import { rawWords } from "./primitive.ts";
import { Violation } from "./violation.ts";

export class Memory {
  readonly words: Int32Array;
  /** Two independent 32-bit hashes of all that differs from the start. */
  hashA = 0;
  hashB = 0;
  private readonly initial: Int32Array;
  private readonly touched: Int32Array;
  private readonly isTouched: Uint8Array;
  private touchedCount = 0;

  /** `words` as they are now is what every execution starts from. */
  constructor(words: Int32Array) {
    this.words = rawWords(words);
    this.initial = this.words.slice();
    this.touched = new Int32Array(words.length);
    this.isTouched = new Uint8Array(words.length);
  }

  /** Undoes everything since the start. */
  reset(): void {
    for (let i = 0; i < this.touchedCount; i++) {
      const at = this.touched[i];
      this.words[at] = this.initial[at];
      this.isTouched[at] = 0;
    }
    this.touchedCount = 0;
    this.hashA = 0;
    this.hashB = 0;
  }

  /** Performs one step. Returns what the accessor returns. */
  perform(op: Op, at: number, a: number, b: number): number {
    const end = op === ZERO ? at + a : at + 1;
    if (at < 0 || end > this.words.length) return this.outside(op, at);
    const before = this.words[at];
    switch (op) {
      case LOAD:
      case READ:
        return before;
      case STORE:
      case WRITE:
      case XCHG:
        this.set(at, before, a | 0);
        return before;
      case CAS:
        if (before === (a | 0)) this.set(at, before, b | 0);
        return before;
      case ADD:
        this.set(at, before, (before + a) | 0);
        return before;
      case OR:
        this.set(at, before, before | a);
        return before;
      case ZERO:
        for (let i = at; i < end; i++) this.set(i, this.words[i], 0);
        return 0;
    }
  }

  /** A plain read outside the heap is what a wrong pointer leads to; anything else is a bug. */
  private outside(op: Op, at: number): number {
    if (op === READ) return 0;
    throw new Violation("wild-access", `access of word ${at}, outside the heap`);
  }

  private set(at: number, before: number, after: number): void {
    if (before === after) return;
    if (this.isTouched[at] === 0) {
      this.isTouched[at] = 1;
      this.touched[this.touchedCount++] = at;
    }
    this.words[at] = after;
    this.hashA ^= mixA(at, before) ^ mixA(at, after);
    this.hashB ^= mixB(at, before) ^ mixB(at, after);
  }
}

/** Two unrelated hashes of a pair of numbers. */
export function mixA(x: number, y: number): number {
  let h = Math.imul((x + 0x9e3779b9) | 0, 0x85ebca6b) ^ Math.imul((y + 0x7f4a7c15) | 0, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return h ^ (h >>> 15);
}

export function mixB(x: number, y: number): number {
  let h = (Math.imul(x ^ 0x5bd1e995, 0x1b873593) + Math.imul(y ^ 0x38495ab5, 0xcc9e2d51)) | 0;
  h = Math.imul(h ^ (h >>> 13), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 16), 0xc2b2ae35);
  return h ^ (h >>> 13);
}
