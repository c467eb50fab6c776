/** The sizes of a heap: what they may be, their defaults, and the errors for those that won't do. */
import { SharedHeapError, shown } from "./errors.ts";
import { PAGE_BYTES } from "./layout.ts";

/** What a heap is made with: its sizes, from which the whole layout follows, and how it works. */
export interface Geometry {
  /** Length of the heap in bytes: a multiple of 4096, at most 4 GiB. */
  readonly bytes: number;
  /** How many threads can be attached at once, 1 to 64. */
  readonly maxCpus: number;
  /** Bytes of each CPU's area, a power of two from 16 KiB to 1 MiB: bounds how many allocators there can be. */
  readonly percpuBytes: number;
  /** How many names (roots and allocators) there can be, 16 to 65536. */
  readonly maxNames: number;
  /**
   * The end of a tasks-trace grace period is the end of an RCU one too; default true. false: memory goes through
   * one after the other, as in kernels where it is not so.
   */
  readonly traceImpliesRcu: boolean;
  /**
   * `kmallocNolock` returns 0 in hardirq and NMI contexts, as in kernels with PREEMPT_RT; default false. For testing
   * that a program gets along without.
   */
  readonly realtime: boolean;
  /**
   * Overruns, underruns, writes to freed memory, double frees and frees in the wrong place are found, and reports name
   * where the object was allocated and freed; default false. For hunting such bugs: several times slower, and larger.
   */
  readonly debug: boolean;
}

export const MIN_PERCPU_BYTES = 16 * 1024;
export const MAX_PERCPU_BYTES = 1024 * 1024;
const DEFAULT_MAX_PERCPU_BYTES = 128 * 1024;
const DEFAULT_MAX_CPUS = 8;
const DEFAULT_MAX_NAMES = 128;
/** Below this share of the heap for all areas together, a bigger area is taken by default. */
const PERCPU_SHARE = 32;

/** Checks the sizes given and fills in the others. Errors: `bad-option`. */
export function resolveGeometry(given: Partial<Geometry>, bytes: number): Geometry {
  inRange("bytes", bytes, PAGE_BYTES, 2 ** 32);
  const maxCpus = inRange("maxCpus", given.maxCpus ?? DEFAULT_MAX_CPUS, 1, 64);
  const percpuBytes = given.percpuBytes ?? defaultPercpuBytes(bytes, maxCpus);
  inRange("percpuBytes", percpuBytes, MIN_PERCPU_BYTES, MAX_PERCPU_BYTES);
  if ((percpuBytes & (percpuBytes - 1)) !== 0) {
    throw new SharedHeapError("bad-option", `percpuBytes is ${percpuBytes}: use a power of two`);
  }
  const maxNames = inRange("maxNames", given.maxNames ?? DEFAULT_MAX_NAMES, 16, 65536);
  return {
    bytes: bytes - (bytes % PAGE_BYTES),
    maxCpus,
    percpuBytes,
    maxNames,
    traceImpliesRcu: isTrue("traceImpliesRcu", given.traceImpliesRcu ?? true),
    realtime: isTrue("realtime", given.realtime ?? false),
    debug: isTrue("debug", given.debug ?? false),
  };
}

/** Throws `bad-option` unless `value` is true or false; returns it. */
export function isTrue(option: string, value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw new SharedHeapError("bad-option", `${option} is ${shown(value)}: use true or false`);
}

/** Throws `bad-option` unless `value` is an integer from `min` to `max`; returns it. */
export function inRange(option: string, value: unknown, min: number, max: number): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new SharedHeapError(
    "bad-option",
    `${option} is ${shown(value)}: use an integer from ${min} to ${max}`,
  );
}

/** Throws `bad-option` unless `fn` is a function. `what`: which one. */
export function checkFunction(what: string, fn: unknown): void {
  if (typeof fn === "function") return;
  throw new SharedHeapError("bad-option", `${what} is ${shown(fn)}: give it a function`);
}

/** Throws `bad-option` unless `options` is an object. `call`: which call's. */
export function checkOptions(call: string, options: unknown): void {
  if (typeof options === "object" && options !== null) return;
  throw new SharedHeapError("bad-option", `${call}(${shown(options)}): give it an object with options`);
}

function defaultPercpuBytes(bytes: number, maxCpus: number): number {
  let size = MIN_PERCPU_BYTES;
  while (size < DEFAULT_MAX_PERCPU_BYTES && size * 2 * maxCpus * PERCPU_SHARE <= bytes) size *= 2;
  return size;
}
