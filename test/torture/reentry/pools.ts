/** The allocators that the fuzz calls, as one kind of thing; and objects that tell whether they were overwritten. */
import { GFP_KERNEL, type MemAlloc, type MemCache, type SharedHeap } from "sharedheap";
import { FIXED_BYTES } from "./job.ts";

export interface Pool {
  readonly name: string;
  /** Sizes that are asked for. */
  readonly maxBytes: number;
  alloc(bytes: number): number;
  free(p: number): void;
  /** undefined: it has none. */
  readonly freeRcu: ((p: number) => void) | undefined;
  /** In task context NULL is out of memory, which there is not. */
  readonly isPatient: boolean;
}

/** Less than the threads would hold. */
const GROUP_BYTES = 32 * 1024;

export function poolsOf(heap: SharedHeap, fixed: MemCache, any: MemAlloc): readonly Pool[] {
  const memcg = heap.memcg({ name: "tight", max: GROUP_BYTES });
  const tight = heap.memAlloc({ name: "tight", memcg });
  return [
    {
      name: "MemCache",
      maxBytes: FIXED_BYTES,
      alloc: () => fixed.alloc(),
      free: (p) => fixed.free(p),
      freeRcu: (p) => fixed.freeRcu(p),
      isPatient: true,
    },
    {
      name: "MemAlloc",
      maxBytes: 4088,
      alloc: (bytes) => any.alloc(bytes),
      free: (p) => any.free(p),
      freeRcu: (p) => any.freeRcu(p),
      isPatient: true,
    },
    {
      name: "MemAlloc in a group",
      maxBytes: 4088,
      alloc: (bytes) => tight.allocFlags(bytes, GFP_KERNEL),
      free: (p) => tight.free(p),
      freeRcu: (p) => tight.freeRcu(p),
      isPatient: false,
    },
    {
      name: "kmalloc",
      maxBytes: 8192,
      alloc: (bytes) => heap.kmalloc(bytes),
      free: (p) => heap.kfree(p),
      freeRcu: undefined,
      isPatient: true,
    },
    {
      name: "kmallocNolock",
      maxBytes: 4096,
      alloc: (bytes) => heap.kmallocNolock(bytes),
      free: (p) => heap.kfreeNolock(p),
      freeRcu: undefined,
      isPatient: false,
    },
  ];
}

/** Marks the first and the last word of an object with what nobody else writes there. */
export function stamp(words: Int32Array, p: number, bytes: number, mark: number): void {
  words[p >>> 2] = mark;
  words[(p + bytes - 4) >>> 2] = ~mark;
}

/** Throws if anybody has written to it. */
export function checkStamp(words: Int32Array, p: number, bytes: number, mark: number): void {
  // an object of one word holds the second mark only
  const isFirst = bytes === 4 || words[p >>> 2] === mark;
  if (isFirst && words[(p + bytes - 4) >>> 2] === ~mark) return;
  throw new Error(`the object at ${p}, of ${bytes} bytes, was overwritten: two have it`);
}
