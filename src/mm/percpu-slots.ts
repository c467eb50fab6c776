/** The slots of a per-CPU object: one on each possible CPU, PERCPU_STRIDE_BYTES apart. */
import { type Words, zeroPrivate } from "#primitive";
import { PERCPU_STRIDE_BYTES, PERCPU_STRIDE_WORDS } from "./layout.ts";

/** The slot on CPU `cpu` of the object at `p`. */
export function percpuSlot(p: number, cpu: number): number {
  return p + cpu * PERCPU_STRIDE_BYTES;
}

/** Zeroes `count` words, from `at` on, of all slots of an object that this CPU owns. */
export function zeroSlots(words: Words, at: number, count: number, maxCpus: number): void {
  for (let cpu = 0; cpu < maxCpus; cpu++) zeroPrivate(words, at + cpu * PERCPU_STRIDE_WORDS, count);
}
