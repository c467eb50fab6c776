/** The memory of a heap: made, given by the caller, or come from another thread. */
import { fetchOr, type Words } from "#primitive";
import { type HeapToken, inRange, SharedHeapError, shown } from "./arena/index.ts";
import { PAGE_BYTES, PAGE_WORDS } from "./arena/layout.ts";
import { isolationReport } from "./inspect/index.ts";

/** Which memory to make a heap in. */
export interface MemoryOptions {
  /** Size of the heap in bytes. */
  readonly bytes?: number;
  /** false: a heap for this thread alone, over a plain ArrayBuffer. Default: shared where that is possible. */
  readonly shared?: boolean;
  /** Memory to make the heap in, instead of new memory: a WebAssembly.Memory, or anything with a `buffer`. */
  readonly memory?: { readonly buffer: ArrayBufferLike };
  /** The part of `memory` to use; default: all of it. byteOffset is a multiple of 8. */
  readonly byteOffset?: number;
  readonly byteLength?: number;
  /**
   * true: `create` touches every page of the memory, which makes the operating system provide it: some microseconds each, that
   * no later call takes. For real-time work, and for benchmarks. Default false: pages are provided when they are used.
   */
  readonly preTouch?: boolean;
}

const DEFAULT_BYTES = 64 * 1024 * 1024;

export function windowFor(options: MemoryOptions): HeapToken {
  const { memory, byteOffset = 0 } = options;
  if (memory === undefined) {
    const bytes = options.bytes ?? DEFAULT_BYTES;
    return { buffer: newBuffer(options.shared, bytes), byteOffset: 0, byteLength: bytes };
  }
  if (!memory?.buffer) {
    throw new SharedHeapError(
      "bad-option",
      "memory has no buffer: give a WebAssembly.Memory, or what has one",
    );
  }
  inRange("byteOffset", byteOffset, 0, Number.MAX_SAFE_INTEGER);
  if (options.bytes !== undefined) inRange("bytes", options.bytes, PAGE_BYTES, 2 ** 32);
  const byteLength =
    options.byteLength ?? Math.min(options.bytes ?? Infinity, memory.buffer.byteLength - byteOffset);
  return { buffer: memory.buffer, byteOffset, byteLength };
}

function newBuffer(shared: boolean | undefined, bytes: number): ArrayBufferLike {
  const available = isolationReport().available;
  if (shared === true && !available) {
    throw new SharedHeapError("not-shared", `no shared memory here: ${notSharedAdvice()}`);
  }
  if (!Number.isInteger(bytes) || bytes < PAGE_BYTES || bytes > 2 ** 32) {
    throw new SharedHeapError(
      "bad-option",
      `bytes is ${shown(bytes)}: use an integer from ${PAGE_BYTES} to ${2 ** 32}`,
    );
  }
  try {
    return shared !== false && available ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);
  } catch (error) {
    throw new SharedHeapError(
      "bad-option",
      `${bytes} bytes cannot be reserved here (${String(error)}): use fewer`,
    );
  }
}

/** Has the operating system provide every page, with what is in it. */
export function touchPages(words: Words): void {
  // an access that writes, since pages that were only read are one page of zeros, still
  for (let at = 0; at < words.length; at += PAGE_WORDS) fetchOr(words, at, 0);
  // memory that was given may begin in the middle of a page, and then ends in the middle of one
  fetchOr(words, words.length - 1, 0);
}

export function isSharedBuffer(buffer: ArrayBufferLike): boolean {
  return typeof SharedArrayBuffer !== "undefined" && buffer instanceof SharedArrayBuffer;
}

export function checkToken(token: HeapToken): void {
  const buffer = token?.buffer;
  if (isSharedBuffer(buffer)) return;
  if (buffer instanceof ArrayBuffer) {
    throw new SharedHeapError(
      "not-shared",
      `attach: the buffer is a plain ArrayBuffer: ${notSharedAdvice()}`,
    );
  }
  throw new SharedHeapError(
    "not-a-heap",
    "attach: give it the token of the heap, as SharedHeap.create() made it",
  );
}

export function notSharedAdvice(): string {
  const { reasons } = isolationReport();
  return reasons.length > 0 ? reasons.join(" ") : "create it without `shared: false`, over shared memory";
}
