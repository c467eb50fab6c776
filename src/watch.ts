/**
 * Threads that end without a word. What they held is given back by whoever is told: by the program (`reap`), or by the
 * worker's own event (`watch`). Being silent is not being dead: a thread that waits, or computes, says nothing either.
 */
import { inRange, SharedHeapError } from "./arena/index.ts";
import type { Booted } from "./boot.ts";
import type { CpuInfo } from "./cpu/index.ts";
import { reap } from "./reap.ts";

export interface ReapOptions {
  /** true: the thread has surely ended. Its memory is taken over: if it has not, the heap breaks. */
  readonly surelyGone?: boolean;
  /** Only if the CPU is still that thread's: see `heap.cpus()`. */
  readonly generation?: number;
}

/** A worker as Node has it. */
export interface WatchedWorker {
  readonly threadId: number;
  once(event: "exit", listener: () => void): unknown;
  off(event: "exit", listener: () => void): unknown;
}

export class Watch {
  private readonly live: () => Booted;
  private readonly ends = new Set<() => void>();

  constructor(live: () => Booted) {
    this.live = live;
  }

  /** See SharedHeap.reap. */
  reap(cpu: number, { surelyGone = false, generation }: ReapOptions): boolean {
    const system = this.live();
    system.cpu.checkTask("reap()");
    inRange("cpu", cpu, 0, system.cpus.maxCpus - 1);
    if (cpu === system.cpu.id)
      throw new SharedHeapError("bad-option", `CPU ${cpu} is this thread itself: use detach()`);
    const info = system.cpus.list()[cpu];
    if (generation !== undefined && generation !== info.generation) return false;
    if (surelyGone) system.cpus.markDead(cpu, info.generation);
    else checkDead(info);
    return reap(system, cpu);
  }

  /** See SharedHeap.watch. */
  watch(worker: WatchedWorker, onReaped: (cpu: CpuInfo) => void): () => void {
    this.live();
    if (typeof worker?.once !== "function" || typeof worker.threadId !== "number")
      throw new SharedHeapError("bad-option", "watch() takes a Worker of node:worker_threads");
    if (worker.threadId < 0)
      throw new SharedHeapError("bad-option", "watch(): that worker has ended already; use reap()");
    // the worker forgets its number when it ends
    const thread = worker.threadId + 1;
    const onExit = (): void => this.reapThread(thread, onReaped);
    const end = (): void => {
      worker.off("exit", onExit);
      this.ends.delete(end);
    };
    worker.once("exit", onExit);
    this.ends.add(end);
    return end;
  }

  /** This thread detaches: it watches nobody any more. */
  stop(): void {
    for (const end of [...this.ends]) end();
  }

  private reapThread(thread: number, onReaped: (cpu: CpuInfo) => void): void {
    const { cpus } = this.live();
    for (const info of cpus.list()) {
      if (cpus.threadOf(info.cpu) !== thread || info.state === "free") continue;
      if (this.reap(info.cpu, { surelyGone: true, generation: info.generation })) onReaped(info);
    }
  }
}

function checkDead({ cpu, state, name }: CpuInfo): void {
  if (state !== "online" && state !== "dying") return;
  throw new SharedHeapError(
    "bad-option",
    `CPU ${cpu} ${name || "(no name)"} is online: once its thread has surely ended, pass { surelyGone: true }`,
  );
}
