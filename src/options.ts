/** What programs may ask for when they make, attach to and open things. */
import { checkName, checkOptions, type Geometry, SharedHeapError, shown } from "./arena/index.ts";
import type { IrqWorkMode } from "./cpu/index.ts";
import type { MemCache, OwnedCache } from "./memalloc/index.ts";
import type { Memcg } from "./memcg-api.ts";
import type { MemoryOptions } from "./memory.ts";

/** What `SharedHeap.attach` takes. */
export interface AttachOptions {
  /** Name of this thread among the CPUs, 1 to 28 ASCII characters. */
  readonly name?: string;
  /**
   * When this thread's deferred work (refills from slab, callbacks) runs. `"inline"`, the default: as soon as it is in task context.
   * `"turn"`: at the end of a turn of its event loop, or `poll()`; for threads where a refill of microseconds is too
   * much in the middle of one. `"kthread"`: as inline, but slab and callbacks are left to other threads, when they
   * poll; for AudioWorklets. In each mode an alloc in task context does the work itself before it returns NULL.
   */
  readonly irqWork?: IrqWorkMode;
  /** false: no timers in this thread's event loop; deferred work waits for `poll()`. Default true. */
  readonly turns?: boolean;
}

/** What `SharedHeap.create` takes. Every option has a default. */
export interface CreateOptions extends Partial<Geometry>, AttachOptions, MemoryOptions {}

/** What `memAlloc` takes. */
export interface MemAllocOptions {
  /** Threads that open an allocator of the same name share it. Without a name it is this thread's alone. */
  readonly name?: string;
  /** The group that is charged for its memory: for good. It may be left out by who opens an allocator that exists. */
  readonly memcg?: Memcg;
}

/** What `memCache` takes. */
export interface MemCacheOptions extends MemAllocOptions {
  /** Bytes of an object, 1 to 8184. */
  readonly size: number;
  /** true: each object has `size` bytes, 1 to 4096, on each possible CPU: see `heap.percpu`. */
  readonly percpu?: boolean;
  /**
   * true: each object, of 1 to 8176 bytes, names the thread that allocated it, so that what a dead thread had allocated can
   * be taken back: see OwnedCache. Not with `percpu`.
   */
  readonly owned?: boolean;
  /** The name of a destructor, which runs for each object before it goes back to slab: see `heap.destructor`. */
  readonly dtor?: string;
}

/** What `memCache` opens with such options. */
export type MemCacheOf<Options> = Options extends { readonly owned: true } ? OwnedCache : MemCache;

/** The name of a thread that attaches, or "". `call`: by which call. Errors: `bad-option`, `bad-name`. */
export function threadName(call: string, options: AttachOptions): string {
  checkOptions(call, options);
  return options.name === undefined ? "" : checkName(options.name);
}

/** Throws `bad-option` for a mode that there is not. */
export function checkMode(mode: unknown): void {
  if (mode === "inline" || mode === "turn" || mode === "kthread") return;
  throw new SharedHeapError("bad-option", `irqWork is ${shown(mode)}: use "inline", "turn" or "kthread"`);
}
