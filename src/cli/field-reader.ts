/** Reads the fields of one line of a trace: a letter, then whole numbers, separated by blanks. */
import { TraceError } from "./trace-error.ts";

const SPACE = 0x20;
const DIGIT_0 = 0x30;
const LONGEST_QUOTE = 24;

export class FieldReader {
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;

  /** Starts on a line, without the blanks and the carriage return at its end. */
  reset(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    while (this.#end > start && isBlank(bytes[this.#end - 1])) this.#end--;
  }

  /** The first byte of the line, -1 if it is empty. */
  first(): number {
    return this.#at < this.#end ? this.#bytes[this.#at] : -1;
  }

  /** The whole line as text. */
  text(): string {
    return new TextDecoder().decode(this.#bytes.subarray(this.#at, this.#end));
  }

  /** Passes over a one-letter operation. */
  skipLetter(): void {
    const next = this.#at + 1;
    if (next < this.#end && this.#bytes[next] !== SPACE) {
      throw new TraceError(`unknown operation ${quote(this.#word(this.#at))}`);
    }
    this.#at = next;
  }

  /** The next number, from 0 to `max`. */
  integer(name: string, max: number): number {
    const start = this.#skipBlanks();
    let value = 0;
    let at = start;
    while (at < this.#end) {
      const digit = this.#bytes[at] - DIGIT_0;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      at++;
    }
    if (at === start || (at < this.#end && this.#bytes[at] !== SPACE)) this.#notANumber(name, start);
    if (value > max) throw new TraceError(`${name} ${this.#word(start)} is out of range (0 to ${max})`);
    this.#at = at;
    return value;
  }

  /** Checks that nothing follows. */
  finish(): void {
    const rest = this.#skipBlanks();
    if (rest < this.#end) throw new TraceError(`${quote(this.#word(rest))} is too much on this line`);
  }

  #skipBlanks(): number {
    let at = this.#at;
    while (at < this.#end && this.#bytes[at] === SPACE) at++;
    return at;
  }

  #notANumber(name: string, start: number): never {
    if (start >= this.#end) throw new TraceError(`the ${name} is missing`);
    throw new TraceError(`${name} ${quote(this.#word(start))} is not a whole number`);
  }

  #word(start: number): string {
    let end = start;
    while (end < this.#end && this.#bytes[end] !== SPACE) end++;
    const text = new TextDecoder().decode(this.#bytes.subarray(start, end));
    return text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}...` : text;
  }
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === 0x0d || byte === 0x09;
}

/** Quoted for one line of a terminal, whatever bytes the file holds. */
export function quote(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\u009f\u2028-\u202e]/g, "?");
}
