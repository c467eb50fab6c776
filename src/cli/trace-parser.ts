/** From the bytes of a trace to the trace: `push` each chunk, then `finish`. Throws a TraceError with its line. */
import { FieldReader, quote } from "./field-reader.ts";
import { LineSplitter } from "./line-splitter.ts";
import { TRACE_LIMITS, type Trace } from "./trace.ts";
import { TraceBuilder } from "./trace-builder.ts";
import { TraceError } from "./trace-error.ts";
import { checkCounts, checkRange, checkVersion, emptyHeader, readCounts } from "./trace-header.ts";

const HASH = 0x23;
const LETTER_A = 0x61;
const LETTER_F = 0x66;

export class TraceParser {
  readonly #lines = new LineSplitter((bytes, start, end) => this.#parseLine(bytes, start, end));
  readonly #fields = new FieldReader();
  readonly #builder = new TraceBuilder();
  readonly #header = emptyHeader();

  /** Complete lines so far. */
  get lines(): number {
    return this.#lines.line;
  }

  push(chunk: Uint8Array): void {
    this.#locate(() => this.#lines.push(chunk));
  }

  /** The trace, when the last chunk was pushed. */
  finish(): Trace {
    return this.#locate(() => {
      this.#lines.end();
      checkCounts(this.#header, this.#builder.operations, this.#builder.allocations);
      if (this.#builder.operations === 0) throw new TraceError("the trace holds no operations");
      return this.#builder.finish(this.#header);
    });
  }

  #locate<T>(parse: () => T): T {
    try {
      return parse();
    } catch (error) {
      if (error instanceof TraceError) error.line = Math.max(this.#lines.line, 1);
      throw error;
    }
  }

  #parseLine(bytes: Uint8Array, start: number, end: number): void {
    this.#fields.reset(bytes, start, end);
    const first = this.#fields.first();
    if (first === LETTER_A || first === LETTER_F) this.#parseOperation(first);
    else if (first === HASH) this.#parseComment();
    else if (first !== -1) throw this.#unknownOperation();
  }

  #parseOperation(letter: number): void {
    let slot = 0;
    let size = 0;
    let thread = 0;
    try {
      this.#fields.skipLetter();
      slot = this.#fields.integer("slot", TRACE_LIMITS.slots - 1);
      if (letter === LETTER_A) size = this.#fields.integer("size", TRACE_LIMITS.size);
      thread = this.#fields.integer("thread", TRACE_LIMITS.threads - 1);
      this.#fields.finish();
    } catch (error) {
      throw error instanceof TraceError ? this.#notATrace(error.message) : error;
    }
    checkRange(this.#header, slot, thread);
    if (letter === LETTER_A) this.#builder.allocate(slot, size, thread);
    else this.#builder.free(slot, thread);
  }

  #parseComment(): void {
    // Comments further down are only remarks.
    if (this.#builder.operations > 0) return;
    const comment = this.#fields.text();
    if (this.#lines.line === 1) checkVersion(comment);
    readCounts(comment, this.#header);
  }

  #unknownOperation(): TraceError {
    return this.#notATrace(`unknown operation ${quote(this.#fields.text().slice(0, 16))}`);
  }

  /** A first line that is nothing known says that this is another kind of file. */
  #notATrace(detail: string): TraceError {
    return new TraceError(this.#lines.line === 1 ? `not an allocation trace: ${detail}` : detail);
  }
}
