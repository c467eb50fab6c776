/** `heap.context`: says in which context a piece of code runs. */
import { checkFunction } from "../arena/index.ts";
import { HARDIRQ_SHIFT, NMI_SHIFT, SOFTIRQ_SHIFT } from "./contexts.ts";
import type { Cpu } from "./cpu.ts";

/**
 * Declares code to be nested (softirq, hardirq) or real-time (nmi), as a kernel would find itself
 * interrupted: inside, no deferred work runs, so no call does more than its own few steps; it runs
 * when the outermost declared context ends. Contexts nest, up to 127 of a kind (`limit`). The
 * functions must be synchronous: a context cannot span an `await`.
 *
 * @example
 * heap.context.nmi(() => voices.alloc());
 */
export class Context {
  private readonly cpu: Cpu;

  private readonly checkLive: () => void;

  /** `checkLive` throws once the thread has detached: its CPU may be another's by then. */
  constructor(cpu: Cpu, checkLive: () => void) {
    this.cpu = cpu;
    this.checkLive = checkLive;
  }

  softirq<T>(fn: () => T): T {
    return this.nested(SOFTIRQ_SHIFT, fn);
  }
  hardirq<T>(fn: () => T): T {
    return this.nested(HARDIRQ_SHIFT, fn);
  }
  nmi<T>(fn: () => T): T {
    return this.nested(NMI_SHIFT, fn);
  }
  inTask(): boolean {
    return this.cpu.inTask();
  }
  inSoftirq(): boolean {
    return this.cpu.inSoftirq();
  }
  inHardirq(): boolean {
    return this.cpu.inHardirq();
  }
  inNmi(): boolean {
    return this.cpu.inNmi();
  }

  private nested<T>(shift: number, fn: () => T): T {
    this.checkLive();
    checkFunction("a context's code", fn);
    return this.cpu.nested(shift, fn);
  }
}
