/** A small heap with several CPUs, all driven by one thread: what the scenarios run on. */
import type { Booted, Tuning } from "#src/boot.js";
import type { Allocator } from "#src/memalloc/index.js";
import type { Library } from "../library.ts";

/** Watermarks so small that every call or two goes down to the slabs. */
export const SMALL: Tuning = {
  watermarks: () => ({ low: 1, high: 2, batch: 1, prefill: 1 }),
  takerTries: 1,
  gatherChains: 1,
  // as many as there are: looks that cut lists make ten times as many schedules
  keepChains: 8,
  chargeBatch: 1,
};

/** Looks cut the lists of homes. */
export const CUTTING: Tuning = { ...SMALL, keepChains: 1 };

/** A list of one object: each alloc refills, each free trims. */
export const TIGHT: Tuning = { ...SMALL, watermarks: () => ({ low: 1, high: 1, batch: 1, prefill: 1 }) };

/** Objects travel in chains of two. */
export const PAIRS: Tuning = { ...SMALL, watermarks: () => ({ low: 1, high: 2, batch: 2, prefill: 1 }) };

/** Room for one more object: for longer programs, of which fewer trim. */
export const ROOMY: Tuning = { ...SMALL, watermarks: () => ({ low: 1, high: 3, batch: 1, prefill: 1 }) };

export const GARBAGE = 0x5eed5eed;

/** How a heap of the checker's differs from others. */
export interface SmallHeap {
  readonly traceImpliesRcu?: boolean;
  /** The CPU whose work others do. */
  readonly helped?: number;
}

/** CPUs over a heap of `pages` pages behind its tables, or a few more. */
export function bootCpus(
  library: Library,
  cpus: number,
  pages: number,
  tuning: Tuning = SMALL,
  { helped = -1, ...more }: SmallHeap = {},
): Booted[] {
  const options = { maxCpus: cpus, percpuBytes: 16384, maxNames: 16, ...more };
  const tables = 4096 * 5 + cpus * 16384 + 16384;
  const bytes = 4096 * pages + tables;
  const token = { buffer: new SharedArrayBuffer(bytes), byteOffset: 0, byteLength: bytes };
  const arena = library.arena.formatArena(token, options);
  const tuningOf = (cpu: number) => (cpu === helped ? { ...tuning, mode: "kthread" as const } : tuning);
  const booted = [library.boot.bootCreator(arena, "", false, tuningOf(0))];
  dirtyPages(booted[0]);
  while (booted.length < cpus) {
    const window = library.arena.openArena(token);
    booted.push(library.boot.bootAttacher(window, "", tuningOf(booted.length)));
  }
  return booted;
}

/** Free pages may hold anything: here the first words of any object. (Each dirty word costs time in every execution.) */
function dirtyPages({ arena, firstPage, pages }: Booted): void {
  for (let at = pages.address(firstPage); at < arena.words.length; at += 128)
    arena.words.fill(GARBAGE, at, at + 8);
}

/** More polls than what waits for nobody needs to get to slab. */
const QUIET_POLLS = 8;

/** Brings a heap to rest by polls of these CPUs. */
export function pollUntilQuiet(library: Library, cpus: readonly Booted[]): void {
  for (let i = 0; i < QUIET_POLLS; i++) for (const system of cpus) library.task.poll(system);
}

/** Ends an allocator. Returns 1, or 0 if that has been done. */
export function tryDestroy({ allocators }: Booted, allocator: Allocator): number {
  try {
    allocators.destroy(allocator);
    return 1;
  } catch (error) {
    if ((error as { code?: string }).code === "destroyed") return 0;
    throw error;
  }
}

/** `count` words that no layer uses, a line apart. */
export function freeWords(system: Booted, count: number): number[] {
  return Array.from({ length: count }, () => system.areas.areaOf(0) + system.areas.reserve(16));
}
