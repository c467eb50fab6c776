/**
 * The context a CPU is in: task, or nested in softirq, hardirq, NMI or a critical section of the
 * library itself. A counter of 8 bits for each, in one word:
 *
 *     bits 31..24   23..16   15..8     7..0
 *     critical      nmi      hardirq   softirq        0 = task context
 *
 * Private to the owner. A nested call raises and lowers what it found, so no step needs an atomic.
 */
import { readPrivate, type Words, writePrivate } from "#primitive";
import { SharedHeapError } from "../arena/index.ts";
import { AREA_CONTEXT } from "./layout.ts";

export const SOFTIRQ_SHIFT = 0;
export const HARDIRQ_SHIFT = 8;
export const NMI_SHIFT = 16;
export const CRITICAL_SHIFT = 24;
/** Deepest nesting of one kind. */
export const MAX_NESTING = 127;

/** Goes one level deeper. Errors: `limit` beyond MAX_NESTING levels of one kind. */
export function enterContext(words: Words, area: number, shift: number): void {
  const depth = readPrivate(words, area + AREA_CONTEXT);
  if (((depth >>> shift) & 0xff) >= MAX_NESTING) {
    throw new SharedHeapError(
      "limit",
      `contexts are nested ${MAX_NESTING} deep: a handler calls itself without end`,
    );
  }
  writePrivate(words, area + AREA_CONTEXT, depth + (1 << shift));
}

/** Comes back up. */
export function leaveContext(words: Words, area: number, shift: number): void {
  writePrivate(words, area + AREA_CONTEXT, readPrivate(words, area + AREA_CONTEXT) - (1 << shift));
}

/** How deep the CPU is in contexts of that kind. */
export function contextDepth(words: Words, area: number, shift: number): number {
  return (readPrivate(words, area + AREA_CONTEXT) >>> shift) & 0xff;
}

/** True in an ordinary turn of the event loop, outside every critical section. */
export function inTask(words: Words, area: number): boolean {
  return readPrivate(words, area + AREA_CONTEXT) === 0;
}
