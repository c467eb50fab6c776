/**
 * The buffer and its header. `formatArena` writes the header of a new heap, `openArena` checks
 * that of an existing one and says what is wrong with it.
 */
import {
  loadAcquire,
  readPrivate,
  storeRelease,
  viewWords,
  type Words,
  writePrivate,
  zeroPrivate,
} from "#primitive";
import { SharedHeapError, shown } from "./errors.ts";
import { Faults } from "./faults.ts";
import {
  FLAG_DEBUG,
  FLAG_REALTIME,
  FLAG_TRACE_IMPLIES_RCU,
  FLAGS,
  HEADER_CHECK,
  HEADER_WORDS,
  HEAP_ID,
  MAGIC,
  MAGIC_VALUE,
  MAX_CPUS,
  MAX_NAMES,
  PAGE_BYTES,
  PERCPU_WORDS,
  SIZE_WORDS,
  VERSION,
  VERSION_VALUE,
} from "./layout.ts";
import { type Geometry, resolveGeometry } from "./options.ts";

/** Odd, so that no two numbers become one. */
const CHECK_FACTOR = 0x9e3779b1;

/** Where a heap lies: all that another thread needs to attach. Structured-cloneable. */
export interface HeapToken {
  readonly buffer: ArrayBufferLike;
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** One thread's view of a heap's memory. */
export class Arena {
  readonly words: Words;
  readonly token: HeapToken;
  readonly geometry: Geometry;
  readonly faults = new Faults();

  constructor(words: Words, token: HeapToken, geometry: Geometry) {
    this.words = words;
    this.token = token;
    this.geometry = geometry;
  }

  /** Tells this heap from all others, as 16 characters. */
  get id(): string {
    // written before the heap was published
    return [0, 1]
      .map((i) => (readPrivate(this.words, HEAP_ID + i) >>> 0).toString(16).padStart(8, "0"))
      .join("");
  }
}

/** The arena of a heap that is to be made in the given window. Writes nothing yet. */
export function formatArena(token: HeapToken, options: Partial<Geometry>): Arena {
  checkWindow(token);
  const geometry = resolveGeometry(options, token.byteLength);
  return new Arena(viewWords(token.buffer, token.byteOffset, geometry.bytes / 4), token, geometry);
}

/**
 * The first step of making a heap, whatever the window holds: writes all of the header but the magic word. `random` gives
 * 32 bits, for the id.
 */
export function writeHeader(arena: Arena, random: () => number = () => 0): void {
  const { words, geometry } = arena;
  zeroPrivate(words, 0, HEADER_WORDS);
  for (const [at, value] of headerWords(geometry)) writePrivate(words, at, value);
  writePrivate(words, HEADER_CHECK, headerCheck(geometry));
  for (const word of [0, 1]) writePrivate(words, HEAP_ID + word, random());
}

/** The last step of making a heap: from here on it can be attached to. */
export function publishArena(arena: Arena): void {
  // pairs with the load in openArena: publishes header and tables
  storeRelease(arena.words, MAGIC, MAGIC_VALUE);
}

/** Opens a heap that another thread made. Errors: `bad-option`, `not-a-heap`, `version`, `geometry`. */
export function openArena(token: HeapToken): Arena {
  checkWindow(token);
  if (token.byteLength < PAGE_BYTES) {
    throw new SharedHeapError("not-a-heap", `window of ${token.byteLength} bytes: too small to be a heap`);
  }
  const header = viewWords(token.buffer, token.byteOffset, HEADER_WORDS);
  // pairs with publishArena
  if (loadAcquire(header, MAGIC) !== MAGIC_VALUE) {
    throw new SharedHeapError(
      "not-a-heap",
      "not a sharedheap buffer: attach with the token of SharedHeap.create()",
    );
  }
  const version = loadAcquire(header, VERSION);
  if (version !== VERSION_VALUE) {
    throw new SharedHeapError(
      "version",
      `the heap was made by layout version ${version}, this is version ${VERSION_VALUE}: load the same sharedheap everywhere`,
    );
  }
  const geometry = readGeometry(header, token.byteLength);
  return new Arena(viewWords(token.buffer, token.byteOffset, geometry.bytes / 4), token, geometry);
}

function readGeometry(header: Words, windowBytes: number): Geometry {
  const bytes = (loadAcquire(header, SIZE_WORDS) >>> 0) * 4;
  if (bytes > windowBytes) {
    throw new SharedHeapError(
      "geometry",
      `window too small: needs at least ${bytes} bytes, has ${windowBytes}`,
    );
  }
  const stored = {
    maxCpus: loadAcquire(header, MAX_CPUS),
    percpuBytes: loadAcquire(header, PERCPU_WORDS) * 4,
    maxNames: loadAcquire(header, MAX_NAMES),
    traceImpliesRcu: (loadAcquire(header, FLAGS) & FLAG_TRACE_IMPLIES_RCU) !== 0,
    realtime: (loadAcquire(header, FLAGS) & FLAG_REALTIME) !== 0,
    debug: (loadAcquire(header, FLAGS) & FLAG_DEBUG) !== 0,
  };
  let geometry: Geometry;
  try {
    geometry = resolveGeometry(stored, bytes);
  } catch (error) {
    throw damagedError((error as Error).message);
  }
  // sizes that are possible, but not this heap's, would have us write where other things are
  if (loadAcquire(header, HEADER_CHECK) === headerCheck(geometry)) return geometry;
  throw damagedError("its sizes are not those that the heap was made with");
}

function damagedError(why: string): SharedHeapError {
  return new SharedHeapError("geometry", `the heap's header is damaged: ${why}`);
}

/** The words that say how the heap was made, with what must be in them. */
export function headerWords(geometry: Geometry): readonly (readonly [number, number])[] {
  return [
    [SIZE_WORDS, geometry.bytes / 4],
    [MAX_CPUS, geometry.maxCpus],
    [PERCPU_WORDS, geometry.percpuBytes / 4],
    [MAX_NAMES, geometry.maxNames],
    [FLAGS, flagsOf(geometry)],
    [VERSION, VERSION_VALUE],
  ];
}

/** What HEADER_CHECK holds. Each word changes it, whatever the others are. */
export function headerCheck(geometry: Geometry): number {
  return headerWords(geometry).reduce((mixed, [, value]) => Math.imul(mixed ^ value, CHECK_FACTOR), 1);
}

function isBuffer(buffer: unknown): boolean {
  const isShared = typeof SharedArrayBuffer !== "undefined" && buffer instanceof SharedArrayBuffer;
  return isShared || buffer instanceof ArrayBuffer;
}

function checkWindow(token: HeapToken): void {
  const { buffer, byteOffset, byteLength } = token;
  if (!isBuffer(buffer)) {
    throw new SharedHeapError(
      "bad-option",
      "there is no memory: give a SharedArrayBuffer, or what has one as `buffer`",
    );
  }
  const fits =
    Number.isInteger(byteOffset) &&
    Number.isInteger(byteLength) &&
    byteOffset >= 0 &&
    byteLength >= 0 &&
    byteOffset + byteLength <= buffer.byteLength;
  if (!fits) {
    throw new SharedHeapError(
      "bad-option",
      `window (${shown(byteOffset)}, ${shown(byteLength)}) does not lie in the buffer's ${buffer.byteLength} bytes`,
    );
  }
  if (byteOffset % 8 !== 0) {
    throw new SharedHeapError("bad-option", `byteOffset is ${byteOffset}: use a multiple of 8`);
  }
}

function flagsOf({ traceImpliesRcu, realtime, debug }: Geometry): number {
  const trace = traceImpliesRcu ? FLAG_TRACE_IMPLIES_RCU : 0;
  return trace | (realtime ? FLAG_REALTIME : 0) | (debug ? FLAG_DEBUG : 0);
}
