/** Bytes in chunks of any size, handed on line by line without making strings of them. */

const NEWLINE = 0x0a;
/** A longer line is no line of a trace, and must not pile up in memory. */
const LONGEST_LINE = 1 << 16;

export type LineHandler = (bytes: Uint8Array, start: number, end: number) => void;

export class LineSplitter {
  /** The number of the line being handled, from 1 on; between calls, of the last complete line. */
  line = 0;
  readonly #handle: LineHandler;
  /** The beginning of a line whose end is in a later chunk. */
  #carry: Uint8Array = new Uint8Array(0);

  constructor(handle: LineHandler) {
    this.#handle = handle;
  }

  /** Hands on every line that is complete with this chunk. */
  push(chunk: Uint8Array): void {
    let start = 0;
    if (this.#carry.length > 0) {
      const end = chunk.indexOf(NEWLINE);
      this.#keep(end < 0 ? chunk : chunk.subarray(0, end));
      if (end < 0) return;
      this.#handOnCarry();
      start = end + 1;
    }
    this.#keep(chunk.subarray(this.#handOnLines(chunk, start)));
  }

  /** Hands on the last line, if it has no newline. */
  end(): void {
    if (this.#carry.length > 0) this.#handOnCarry();
  }

  /** Returns where the rest, an incomplete line, begins. */
  #handOnLines(chunk: Uint8Array, from: number): number {
    let start = from;
    for (let i = from; i < chunk.length; i++) {
      if (chunk[i] === NEWLINE) {
        this.line++;
        this.#handle(chunk, start, i);
        start = i + 1;
      }
    }
    return start;
  }

  #handOnCarry(): void {
    const line = this.#carry;
    this.#carry = new Uint8Array(0);
    this.line++;
    this.#handle(line, 0, line.length);
  }

  #keep(part: Uint8Array): void {
    const whole = new Uint8Array(this.#carry.length + part.length);
    whole.set(this.#carry);
    whole.set(part, this.#carry.length);
    this.#carry = whole;
    if (whole.length > LONGEST_LINE) this.#handOnCarry();
  }
}
