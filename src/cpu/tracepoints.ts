/**
 * Tracepoints: places in the library at which a thread's program can have functions called, on the spot, nested in what
 * is under way. Such a function may call the library again. It finds itself in a critical section: no deferred work
 * runs under it, and allocations that cannot be made there return 0.
 *
 * A field for each; undefined, the usual case, costs one predictable branch. What is called gets numbers, and makes no
 * garbage. (`../trace-api.ts` is what a program sees of them.)
 */
import type { Words } from "#primitive";
import { CRITICAL_SHIFT, enterContext, leaveContext } from "./contexts.ts";

/** Called with two numbers; what they are says the field. Must not throw. */
export type Probe = (a: number, b: number) => void;

export class Tracepoints {
  /** A cache is about to be refilled: its unit size, the objects it has in stock. */
  refill: Probe | undefined = undefined;
  /** A cache is about to be trimmed: the same. In the context of the free. */
  trim: Probe | undefined = undefined;
  /** An object left a slab, or is about to come back: its offset, its unit size. */
  slabAlloc: Probe | undefined = undefined;
  slabFree: Probe | undefined = undefined;
  /** A slab was made, one is about to be given back: its offset, its bytes. */
  slabNew: Probe | undefined = undefined;
  slabDiscard: Probe | undefined = undefined;
  /** An RCU period has begun, or ended, by this CPU's doing: its number, 0. */
  gpStart: Probe | undefined = undefined;
  gpEnd: Probe | undefined = undefined;
  /** Callbacks were run: how many, of which CPU. */
  callbacks: Probe | undefined = undefined;
  /** Bytes were charged along a group's tree, by this CPU: the offset of the group's record, how many. */
  memcgCharge: Probe | undefined = undefined;
  /** A charge was refused: the offset of the record of the group that is full, and its bytes. */
  memcgFail: Probe | undefined = undefined;
  /** A dead CPU was reaped by this one: which, and of what generation. */
  reap: Probe | undefined = undefined;
  private readonly words: Words;
  private readonly area: number;

  /** `area`: of the CPU on which they are. */
  constructor(words: Words, area: number) {
    this.words = words;
    this.area = area;
  }

  /** Calls one of them. */
  fire(probe: Probe | undefined, a: number, b: number): void {
    if (probe === undefined) return;
    enterContext(this.words, this.area, CRITICAL_SHIFT);
    try {
      probe(a, b);
    } finally {
      leaveContext(this.words, this.area, CRITICAL_SHIFT);
    }
  }
}
