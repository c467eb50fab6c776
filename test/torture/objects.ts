/** Objects that say what they are: their size, a stamp, and words that follow from it. */
import type { SharedHeap } from "sharedheap";

/** Smallest object: size and stamp. */
export const MIN_BYTES = 8;

/** Fills an object of `bytes` bytes, a multiple of 4. */
export function stamp(heap: SharedHeap, p: number, bytes: number, mark: number): void {
  const at = p >>> 2;
  heap.i32[at] = bytes;
  heap.i32[at + 1] = mark;
  for (let i = 2; i < bytes >>> 2; i++) heap.i32[at + i] = Math.imul(mark, i) ^ bytes;
}

/** Throws unless the object is as `stamp` left it; wipes it, so that a second reader sees that it is gone. */
export function unstamp(heap: SharedHeap, p: number): void {
  const at = p >>> 2;
  const bytes = heap.i32[at];
  const mark = heap.i32[at + 1];
  if (bytes < MIN_BYTES || bytes > 2 ** 20) throw new Error(`object at ${p}: says it has ${bytes} bytes`);
  for (let i = 2; i < bytes >>> 2; i++) {
    const expected = Math.imul(mark, i) ^ bytes;
    if (heap.i32[at + i] === expected) continue;
    throw new Error(`object at ${p} of ${bytes} bytes: word ${i} is ${heap.i32[at + i]}, not ${expected}`);
  }
  heap.i32[at] = 0;
}
