/**
 * Tracepoints: places in the library at which a thread's program can have functions called, on the spot, nested in what
 * is under way. Such a function may call the library again: that is what contexts are for.
 *
 * A field for each; undefined, the usual case, costs one predictable branch. What is called gets numbers, and makes no
 * garbage. (`../trace-api.ts` is what a program sees of them.)
 */

/** Called with two numbers; what they are says the field. Must not throw. */
export type Probe = (a: number, b: number) => void;

export class Tracepoints {
  /** A cache is about to be refilled: its unit size, the length of its list. In hardirq, or task context. */
  refill: Probe | undefined = undefined;
  /** A cache is about to be trimmed: the same. In hardirq. */
  trim: Probe | undefined = undefined;
  /** An object left a slab, one came back: its offset, its unit size. In the middle of the step, whatever the context. */
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
}
