/** A growing array of 32-bit numbers, for traces of millions of lines. */

const FIRST_CAPACITY = 1024;

export class Column {
  length = 0;
  #words = new Uint32Array(FIRST_CAPACITY);

  /** Appends a value from 0 to 2^32 - 1. */
  push(value: number): void {
    if (this.length === this.#words.length) this.#grow(this.length + 1);
    this.#words[this.length++] = value;
  }

  /** The value at an index; 0 where nothing was set yet. */
  get(index: number): number {
    return index < this.length ? this.#words[index] : 0;
  }

  /** Sets any index; those skipped on the way are 0. */
  set(index: number, value: number): void {
    if (index >= this.#words.length) this.#grow(index + 1);
    if (index >= this.length) this.length = index + 1;
    this.#words[index] = value;
  }

  /** The values so far, without a copy: to be read when the column grows no more. */
  finish(): Uint32Array {
    return this.#words.subarray(0, this.length);
  }

  #grow(atLeast: number): void {
    const wider = new Uint32Array(Math.max(atLeast, this.#words.length * 2));
    wider.set(this.#words);
    this.#words = wider;
  }
}
