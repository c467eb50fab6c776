/** What is allocated from where: the buckets, the contexts, and with which stock. */
import type { SharedHeap } from "sharedheap";
import { HEADER_BYTES } from "#src/memalloc/layout.js";
import { UNIT_SIZES } from "#src/memalloc/sizes.js";

/** A bucket of the any-size allocator. */
export interface Bucket {
  /** Bytes of an object and its header. */
  readonly unit: number;
  /** What a program asks for to fill it. */
  readonly payload: number;
  /** Objects of one go: up to 256 bytes more than a free list holds unless it was told to, above as many as 32 KiB hold. */
  readonly objects: number;
}

export const MOST_OBJECTS = 128;

export const BUCKETS: readonly Bucket[] = UNIT_SIZES.map((unit) => ({
  unit,
  payload: unit - HEADER_BYTES,
  objects: unit <= 256 ? MOST_OBJECTS : 32_768 / unit,
}));

export const CONTEXTS = ["task", "softirq", "hardirq", "nmi"] as const;
export type ContextName = (typeof CONTEXTS)[number];

/** Where a go is made, and whether its objects were reserved before. Each has processes of its own. */
export interface Subject {
  readonly context: ContextName;
  readonly isReserved: boolean;
}

const nested = CONTEXTS.filter((context) => context !== "task");

export const SUBJECTS: readonly Subject[] = [
  ...CONTEXTS.map((context) => ({ context, isReserved: false })),
  ...nested.map((context) => ({ context, isReserved: true })),
];

export function subjectName({ context, isReserved }: Subject): string {
  return isReserved ? `${context}, reserved` : context;
}

/** Task context has deferred work done at once, and what was reserved is there: NULL is wrong. */
export function isNullWrong({ context, isReserved }: Subject): boolean {
  return context === "task" || isReserved;
}

/** Calls a function in that context. */
export function entry(heap: SharedHeap, context: ContextName): (go: () => number) => number {
  return context === "task" ? (go) => go() : (go) => heap.context[context](go);
}
