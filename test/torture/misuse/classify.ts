/** What a free must answer, by the model alone. */
import { type Ledger, startOf, type Thing } from "./ledger.ts";
import type { Way } from "./pools.ts";

/** What a call may answer. */
export interface Expected {
  /** Codes of errors. None: it has to be told nothing. */
  readonly codes: readonly string[];
  /** Why it may go through as if it were right; "": it may not. */
  readonly untold: string;
  /** It is what the owner of this thing would do, and does what that does. */
  readonly frees: Thing | undefined;
}

export const HANDED_OUT = "the object was handed out again: it is freed for its new owner";
export const NO_HEADER = "no header: freed twice, or free already";
export const FORGED = "a forged header";
const ALSO_FREES = "another call that frees such memory";

const PAGE_BYTES = 4096;
/** kmalloc serves what is larger in whole pages. */
const MAX_SLAB_BYTES = 8192;
/** From a unit of so many bytes on heap.free takes slab objects for kmalloc's. */
const MIN_LARGE_UNIT = 4096;

export function told(...codes: string[]): Expected {
  return { codes, untold: "", frees: undefined };
}

export function mayPass(untold: string, ...codes: string[]): Expected {
  return { codes, untold, frees: undefined };
}

/** Nothing happens. */
export const IGNORED: Expected = { codes: [], untold: "", frees: undefined };

function frees(thing: Thing, way: Way): Expected {
  return { codes: [], untold: thing.pool.ways.includes(way) ? HANDED_OUT : ALSO_FREES, frees: thing };
}

export interface Bounds {
  readonly heapBytes: number;
  /** What lies below is tables. */
  readonly tableBytes: number;
}

/** What freeing `p` that way must answer. */
export function classify(ledger: Ledger, bounds: Bounds, way: Way, p: unknown): Expected {
  if (p === 0) return IGNORED;
  if (p === 16 && way.look !== "kmem" && !way.name.startsWith("percpu.objects")) return IGNORED;
  const isOffset = typeof p === "number" && p >>> 0 === p && p % 8 === 0 && p < bounds.heapBytes;
  if (!isOffset || p < bounds.tableBytes) return told("bad-pointer");
  if (way.look === "object") return classifyObject(ledger, way, p);
  if (way.look === "kmem") return classifyKmem(ledger, way, p);
  if (way.look === "percpu") return classifyPercpu(ledger, way, p);
  if (way.look === "heap" && p % PAGE_BYTES !== 0) return classifyObject(ledger, way, p);
  return classifyKmalloc(ledger, way, p);
}

function classifyObject(ledger: Ledger, way: Way, p: number): Expected {
  const there = ledger.at(p);
  const wrongCache = way.name.startsWith("percpu.objects") ? ["bad-pointer", "wrong-cache"] : ["wrong-cache"];
  if (there?.pool.kind === "object") return there.pool === way.pool ? frees(there, way) : told(...wrongCache);
  const around = ledger.around(p - 8);
  if (around === undefined) return told("bad-pointer", "double-free");
  // slabs know whether their objects have headers
  return around.pool.kind === "object" && around.p === p ? classifyFreed(way, around) : told("bad-pointer");
}

function classifyFreed(way: Way, { pool }: Thing): Expected {
  // what is not per-CPU it does not look at
  return way.name.startsWith("percpu.objects") && !pool.isPercpu ? told("bad-pointer") : told("double-free");
}

/** Free pages, or a block of them in use. */
function isPages({ pool, bytes }: Thing): boolean {
  return pool.kind === "kmalloc" && bytes > MAX_SLAB_BYTES;
}

/** kfree, and heap.free of multiples of 4,096. */
function classifyKmalloc(ledger: Ledger, way: Way, p: number): Expected {
  const thing = ledger.around(p);
  if (thing === undefined) return mayPass(NO_HEADER, "bad-pointer", "double-free");
  const isTooSmall = way.look === "heap" && unitOf(thing) < MIN_LARGE_UNIT;
  const isOther = thing.pool.isPercpu || thing.pool.kind === "object";
  if (p !== startOf(thing) || isOther || isTooSmall) return told("bad-pointer");
  if (ledger.isLive(thing)) return frees(thing, way);
  return isPages(thing) ? told("bad-pointer") : mayPass(NO_HEADER, "double-free");
}

/** At least, for small ones. */
function unitOf(thing: Thing): number {
  const bytes = thing.p + thing.bytes - startOf(thing);
  return bytes > MIN_LARGE_UNIT / 2 ? Math.max(bytes, MIN_LARGE_UNIT) : bytes;
}

function classifyKmem(ledger: Ledger, way: Way, p: number): Expected {
  const thing = ledger.around(p);
  if (thing === undefined) return mayPass(NO_HEADER, "bad-pointer", "wrong-cache", "double-free");
  if (p !== startOf(thing) || isPages(thing)) return told("bad-pointer");
  if (thing.pool !== way.pool) return told("wrong-cache");
  return ledger.isLive(thing) ? frees(thing, way) : mayPass(NO_HEADER, "double-free");
}

function classifyPercpu(ledger: Ledger, way: Way, p: number): Expected {
  const thing = ledger.around(p);
  if (thing === undefined) return mayPass(NO_HEADER, "bad-pointer", "double-free");
  if (thing.pool.kind !== "percpu" || p !== thing.p) return told("bad-pointer");
  return ledger.isLive(thing) ? frees(thing, way) : mayPass(NO_HEADER, "double-free");
}
