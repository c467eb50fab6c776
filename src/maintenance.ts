/** What looks after a heap rather than uses it: who is there, what holds, what to do about threads that have gone. */
import { checkOptions, SharedHeapError, shown } from "./arena/index.ts";
import { type AuditOptions, type AuditReport, audit } from "./audit/index.ts";
import type { Booted } from "./boot.ts";
import type { CpuInfo } from "./cpu/index.ts";
import { FaultInjection, type FaultOptions } from "./fault-injection.ts";
import { type HeapStats, type Leak, type LeaksOptions, leaks, stats, verify } from "./inspect/index.ts";
import { OomHandlers } from "./oom-handlers.ts";
import type { Stall, Stalls } from "./stalls.ts";
import { poll } from "./task.ts";
import { type BrowserWorker, type ReapOptions, Watch, type WatchedWorker } from "./watch.ts";

/** A chain that nobody is in the way of goes through all its queues in fewer. */
const AUDIT_POLLS = 4;

export abstract class Maintenance {
  protected abstract readonly booted: Booted;
  protected abstract readonly stalls: Stalls;
  protected readonly deaths = new Watch(() => this.live());

  protected readonly oomHandlers = new OomHandlers();

  /** Throws once the thread has detached. */
  protected abstract live(): Booted;

  /**
   * Gives back what the thread that had that CPU left when it ended without detach: its lists, its slabs, its stock, its
   * sections, and the CPU. What its program had allocated stays. Returns true if this call did it, false if the CPU is free,
   * of another generation, or reaped by another thread. A CPU that is online needs `surelyGone`: pass it after the worker's
   * exit event, or when the promise of `terminate()` has resolved, never before. Task context. Errors: `bad-option`,
   * `bad-context`, `detached`.
   */
  reap(cpu: number, options: ReapOptions = {}): boolean {
    return this.deaths.reap(cpu, options);
  }

  /**
   * Reaps the CPUs of a worker of node:worker_threads when it has ended, however it did, if it did not detach; `onReaped` is
   * called for each. In browsers no one is told of the end of a worker: there, with or without one, all threads of the heap
   * are watched that hold a Web Lock, which they ask for when they attach and are given in a later turn. (AudioWorklets have
   * none.) Each is reaped within a second or so of its end, which comes up to some seconds after `terminate()`.
   * Returns what ends the watch. Task context. Errors: `bad-option`, `detached`.
   *
   * @example
   * heap.watch(worker, ({ cpu, generation }) => sessions.reclaim(cpu, generation));
   */
  watch(worker?: WatchedWorker | BrowserWorker, onReaped: (cpu: CpuInfo) => void = () => {}): () => void {
    return this.deaths.watch(worker, onReaped);
  }

  /**
   * Finds what threads that died had in their hands, gives it back, and corrects every count; after their CPUs were reaped,
   * at a quiet moment: every other thread has detached, or is outside all calls, contexts and read sections, and is kept there
   * by the caller. `repair: false`: tells what there is, and changes nothing. Walks the whole heap. What such an object was,
   * nobody knows: no destructor runs for it. Task context. Errors, with nothing changed: `bad-context` (it is not quiet: the
   * message says who is in the middle of what), `corrupt` (a list is damaged), `bad-option`, `detached`.
   */
  audit(options: AuditOptions = {}): AuditReport {
    const booted = this.live();
    checkOptions("audit", options);
    const { repair } = options;
    if (repair !== undefined && typeof repair !== "boolean")
      throw new SharedHeapError("bad-option", `repair is ${shown(repair)}: use true or false`);
    return audit(booted, options, () => {
      for (let i = 0; i < AUDIT_POLLS; i++) poll(booted);
    });
  }

  /** The heap's possible CPUs: who has them, since which generation. Any context. */
  cpus(): CpuInfo[] {
    return this.live().cpus.list();
  }

  /**
   * Gives back the memory of objects that were out when their allocator was destroyed, as `destroy` named them: nobody
   * uses them any more. Any context. Errors, with nothing changed: `bad-pointer`, `bad-option`, `detached`.
   *
   * @example
   * const { leaked } = await pool.destroy();
   * heap.freeLeaked(leaked);
   */
  freeLeaked(leaked: readonly number[]): void {
    const { allocators, debug } = this.live();
    if (!Array.isArray(leaked))
      throw new SharedHeapError("bad-option", `freeLeaked(${shown(leaked)}): give it an array of offsets`);
    if (debug === undefined) allocators.freeLeaked(leaked);
    else debug.freeLeaked(leaked, (starts, freeing) => allocators.freeLeaked(starts, freeing));
  }

  /**
   * Has `fn` called in this thread when an allocation in task context finds the heap out of memory, after all that can be
   * had was collected, and before 0 is returned. It may free things; the allocation then tries once more. It runs nested:
   * an alloc inside returns 0 where there is no stock. What it throws is told later, as an unhandled rejection. Returns
   * what ends it. For a group that is full see `Memcg.onMax`. Errors: `bad-option`, `detached`.
   *
   * @example
   * const off = heap.onOutOfMemory(() => cache.evict());
   */
  onOutOfMemory(fn: () => void): () => void {
    this.live();
    return this.oomHandlers.add(fn);
  }

  /**
   * Has allocations inside the library fail, in this thread, until the result's `stop()`: to see that a program gets
   * along with it. One at a time: a second call takes the place of the first. `kmallocNolock` is failed for `pages`
   * only. Errors: `bad-option`, `detached`.
   *
   * @example
   * using faults = heap.faultInject({ site: "pages", every: 3 });
   */
  faultInject(options: FaultOptions = {}): FaultInjection {
    return new FaultInjection(this.live().arena.faults, options);
  }

  /** Counters and sizes, and which read sections are waited for. Walks the heap: not for a hot path. */
  stats(): HeapStats & { readonly rcu: { readonly blockedBy: readonly Stall[] } } {
    const all = stats(this.booted);
    return { ...all, rcu: { ...all.rcu, blockedBy: this.stalls.list() } };
  }

  /**
   * What is out, to find what was never freed: each allocator that has objects out, and, for owned ones, whose they are and
   * the first offsets. Exact while no other thread is inside a call. While some are, the owned ones are right but for what
   * is allocated and freed meanwhile, and the others a moment's picture. Walks the heap. Any context. Errors: `bad-option`, `detached`.
   */
  leaks(options: LeaksOptions = {}): Leak[] {
    return leaks(this.live(), options);
  }

  /** One line for each broken invariant; none if all is well. Exact while no other thread is inside a call. */
  verify(): string[] {
    return verify(this.booted);
  }

  /** Throws `corrupt` if `verify` finds anything. */
  checkInvariants(): void {
    const problems = this.verify();
    if (problems.length > 0) throw new SharedHeapError("corrupt", problems.join("\n"));
  }
}
