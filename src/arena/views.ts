/**
 * Typed views for users. Inside the library words are touched through `#primitive` only; these are
 * for the contents of objects, which are the program's own.
 */
import type { HeapToken } from "./arena.ts";

/** Typed views of the heap from `p` on, made when first asked for. */
export class HeapView {
  private readonly buffer: ArrayBufferLike;
  private readonly start: number;
  private readonly end: number;

  constructor(token: HeapToken, p: number, bytes: number) {
    this.buffer = token.buffer;
    this.start = token.byteOffset + p;
    this.end = Math.min(this.start + bytes, token.byteOffset + token.byteLength);
  }

  get u8(): Uint8Array {
    return new Uint8Array(this.buffer, this.start, this.end - this.start);
  }
  get i32(): Int32Array {
    return new Int32Array(this.buffer, this.start, Math.floor((this.end - this.start) / 4));
  }
  get u32(): Uint32Array {
    return new Uint32Array(this.buffer, this.start, Math.floor((this.end - this.start) / 4));
  }
  get f32(): Float32Array {
    return new Float32Array(this.buffer, this.start, Math.floor((this.end - this.start) / 4));
  }
  get f64(): Float64Array {
    return new Float64Array(this.buffer, this.start, Math.floor((this.end - this.start) / 8));
  }
}
