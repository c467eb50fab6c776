/**
 * Threads that end without a word. What they held is given back by whoever is told: by the program (`reap`), or by the
 * worker's own event, or, where there is none, by a lock that the thread held (`watch`). Being silent is not being
 * dead: a thread that waits, or computes, says nothing either.
 */
import { checkFunction, checkOptions, inRange, SharedHeapError, shown } from "./arena/index.ts";
import type { Booted } from "./boot.ts";
import type { CpuInfo } from "./cpu/index.ts";
import { type Locks, webLocks } from "./host.ts";
import { Presence, PresenceWatch } from "./presence.ts";
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

/** A worker as browsers have it: it does not say when it ends. */
export interface BrowserWorker {
  postMessage(message: unknown): void;
}

export class Watch {
  private readonly live: () => Booted;
  private readonly locks = webLocks();
  private presence: Presence | undefined;
  private readonly ends = new Set<() => void>();

  constructor(live: () => Booted) {
    this.live = live;
  }

  /** See SharedHeap.reap. */
  reap(cpu: number, options: ReapOptions): boolean {
    const system = this.live();
    checkOptions("reap", options);
    const { surelyGone = false, generation } = options;
    // nothing that only looks like true: it is a promise
    if (typeof surelyGone !== "boolean")
      throw new SharedHeapError("bad-option", `surelyGone is ${shown(surelyGone)}: use true or false`);
    inRange("cpu", cpu, 0, system.cpus.maxCpus - 1);
    system.cpu.checkTask("reap()");
    if (cpu === system.cpu.id)
      throw new SharedHeapError("bad-option", `CPU ${cpu} is this thread itself: use detach()`);
    const info = system.cpus.list()[cpu];
    if (generation !== undefined && generation !== info.generation) return false;
    if (surelyGone) system.cpus.markDead(cpu, info.generation);
    else checkDead(info);
    return reap(system, cpu);
  }

  /** This thread has attached to a heap that others may attach to. */
  attached(system: Booted): void {
    if (this.locks !== undefined) this.presence = new Presence(system, this.locks);
  }

  /** This thread has given its CPU back: it watches nobody any more. */
  stop(): void {
    for (const end of [...this.ends]) end();
    this.presence?.end();
  }

  /** See SharedHeap.watch. */
  watch(worker: WatchedWorker | BrowserWorker | undefined, onReaped: (cpu: CpuInfo) => void): () => void {
    const system = this.live();
    checkFunction("onReaped", onReaped);
    const stop =
      this.locks === undefined
        ? this.watchThread(worker, onReaped)
        : this.watchLocks(system, this.locks, onReaped);
    const end = (): void => {
      stop();
      this.ends.delete(end);
    };
    this.ends.add(end);
    return end;
  }

  private watchLocks(system: Booted, locks: Locks, onReaped: (cpu: CpuInfo) => void): () => void {
    const watch = new PresenceWatch(system, locks, (info) => this.reapCpu(info, onReaped));
    return () => watch.end();
  }

  private watchThread(worker: unknown, onReaped: (cpu: CpuInfo) => void): () => void {
    const { once, threadId } = (worker ?? {}) as Partial<WatchedWorker>;
    if (typeof once !== "function" || typeof threadId !== "number")
      throw new SharedHeapError(
        "bad-option",
        "watch() takes a Worker of node:worker_threads; without one it needs navigator.locks, and there is none",
      );
    if (threadId < 0)
      throw new SharedHeapError("bad-option", "watch(): that worker has ended already; use reap()");
    const watched = worker as WatchedWorker;
    // the worker forgets its number when it ends
    const onExit = (): void => this.reapThread(threadId + 1, onReaped);
    watched.once("exit", onExit);
    return () => void watched.off("exit", onExit);
  }

  private reapThread(thread: number, onReaped: (cpu: CpuInfo) => void): void {
    const { cpus } = this.live();
    this.reapAll(
      cpus.list().filter(({ cpu }) => cpus.threadOf(cpu) === thread),
      thread,
      onReaped,
    );
  }

  /** All of them, also if `onReaped` throws. */
  private reapAll(infos: readonly CpuInfo[], thread: number, onReaped: (cpu: CpuInfo) => void): void {
    const [info, ...others] = infos;
    if (info === undefined) return;
    try {
      if (info.state === "free") this.live().cpus.forgetThread(info.cpu, thread);
      else this.reapCpu(info, onReaped);
    } finally {
      this.reapAll(others, thread, onReaped);
    }
  }

  private reapCpu(info: CpuInfo, onReaped: (cpu: CpuInfo) => void): void {
    if (this.reap(info.cpu, { surelyGone: true, generation: info.generation })) onReaped(info);
  }
}

function checkDead({ cpu, state, name }: CpuInfo): void {
  if (state !== "online" && state !== "dying") return;
  throw new SharedHeapError(
    "bad-option",
    `CPU ${cpu} ${name || "(no name)"} is online: once its thread has surely ended, pass { surelyGone: true }`,
  );
}
