/**
 * SharedHeap: what a program holds. Ties the layers together; the work is theirs.
 */
import {
  formatArena,
  type HeapToken,
  HeapView,
  isTrue,
  openArena,
  Roots,
  SharedHeapError,
  shown,
} from "./arena/index.ts";
import { type Booted, bootAttacher, bootCreator, type Tuning } from "./boot.ts";
import { Context } from "./cpu/index.ts";
import { clock, randomWord, threadNumber } from "./host.ts";
import { Maintenance } from "./maintenance.ts";
import { Malloc } from "./malloc.ts";
import type { Destructor, MemAlloc, Program } from "./memalloc/index.ts";
import { type Memcg, MemcgApi, type MemcgOptions } from "./memcg-api.ts";
import { checkToken, isSharedBuffer, notSharedAdvice, touchPages, windowFor } from "./memory.ts";
import { checkSize, type KmemCache, type KmemCacheOptions, openKmemCache } from "./mm/index.ts";
import { OpenAllocators } from "./open-allocators.ts";
import {
  type AttachOptions,
  type CreateOptions,
  checkMode,
  type MemAllocOptions,
  type MemCacheOf,
  type MemCacheOptions,
  threadName,
} from "./options.ts";
import { PercpuApi } from "./percpu-api.ts";
import { RcuApi } from "./rcu-api.ts";
import { Stalls } from "./stalls.ts";
import { detach, openedAt, poll } from "./task.ts";
import { TracepointsApi } from "./trace-api.ts";
import { Turns } from "./turns.ts";
import { Waiters } from "./waiters.ts";

/** A section that keeps grace periods waiting for so long is told. */
const STALL_MS = 10_000;

/**
 * A heap in memory that threads share; this object is one thread's access to it. All its methods
 * may be called in any context unless they say otherwise, and none waits.
 *
 * @example
 * const heap = SharedHeap.create({ bytes: 64 * 2 ** 20 });
 * const p = heap.malloc(100);
 * heap.u32[p >>> 2] = 42;
 * heap.free(p);
 */
export class SharedHeap extends Maintenance {
  /** Named offsets that all threads see. */
  readonly roots: Roots;
  /** Declares code to be nested or real-time. */
  readonly context: Context;
  /** Read sections and grace periods. */
  readonly rcu: RcuApi;
  /** Objects that have a slot on each CPU. */
  readonly percpu: PercpuApi;
  /** Functions that are called from inside operations. */
  readonly tracepoints: TracepointsApi;
  /** The whole heap as bytes and numbers: `heap.u32[p >>> 2]`, `heap.f64[p >>> 3]`. */
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  protected readonly booted: Booted;
  private readonly turns: Turns;
  private readonly waiters: Waiters;
  protected readonly stalls: Stalls;
  private readonly ownToken: HeapToken;
  private readonly open: OpenAllocators;
  private readonly kmemCaches: KmemCache[] = [];
  private readonly mallocs: Malloc;
  private readonly memcgs: MemcgApi;
  private attached = true;
  private isDetaching = false;
  /** The section that was left open and is told of. */
  private toldSection = 0;

  private constructor(
    boot: (tuning: Partial<Tuning>) => Booted,
    { turns = true, irqWork = "inline" }: AttachOptions,
  ) {
    super();
    checkMode(irqWork);
    this.mallocs = new Malloc({
      live: (opens) => this.live(opens),
      kmalloc: (bytes) => this.kmalloc(bytes),
      keep: (allocator) => this.open.keep(allocator),
    });
    this.turns = new Turns(() => this.turn());
    if (!turns) this.turns.stop();
    this.waiters = new Waiters(this.turns.wake);
    const { wake } = this.turns;
    const booted = boot({
      mode: irqWork,
      wake,
      program: this.program(),
      thread: threadNumber(),
      random: randomWord,
    });
    this.booted = booted;
    this.memcgs = new MemcgApi(booted.memcgs, () => this.live(), this.turns.wake);
    this.open = new OpenAllocators({
      live: () => this.live(true),
      memcgs: this.memcgs,
      onOpened: (allocator) => this.tracepoints.opened(allocator),
      onClosed: (allocator) => this.tracepoints.closed(allocator),
    });
    this.stalls = new Stalls(booted, clock, STALL_MS);
    this.rcu = new RcuApi(booted, this.waiters, this.stalls, () => this.live());
    this.percpu = new PercpuApi(
      booted,
      () => this.live(),
      (name, size) => this.memCache({ name, size, percpu: true }),
    );
    this.tracepoints = new TracepointsApi(
      booted.cpu.tracepoints,
      () => this.open.list,
      () => this.live(),
    );
    this.ownToken = booted.arena.token;
    this.roots = new Roots(booted.directory);
    this.context = new Context(booted.cpu, () => this.live());
    const whole = new HeapView(this.ownToken, 0, this.ownToken.byteLength);
    this.u8 = whole.u8;
    this.i32 = whole.i32;
    this.u32 = whole.u32;
    this.f32 = whole.f32;
    this.f64 = whole.f64;
    if (!this.isShared || booted.cpus.maxCpus === 1) return;
    this.turns.watch();
    this.deaths.attached(booted);
  }

  /**
   * Makes a heap and attaches this thread to it as a CPU. The memory is reserved at once and costs
   * nothing until it is used, unless `preTouch` says so. Errors: `bad-option`, `bad-name`, `not-shared` (`shared: true` where
   * there is no shared memory; see `isolationReport`).
   */
  static create(options: CreateOptions = {}): SharedHeap {
    const name = threadName("SharedHeap.create", options);
    const preTouch = isTrue("preTouch", options.preTouch ?? false);
    const token = windowFor(options);
    const arena = formatArena(token, options);
    if (options.irqWork === "kthread" && arena.geometry.maxCpus === 1)
      throw new SharedHeapError("bad-option", 'irqWork "kthread" needs another thread: raise maxCpus');
    if (preTouch) touchPages(arena.words);
    const isDirty = options.memory !== undefined;
    return new SharedHeap((tuning) => bootCreator(arena, name, isDirty, tuning, options), options);
  }

  /**
   * Attaches this thread to the heap that `token` (another thread's `heap.token`) stands for.
   * Errors: `full`, `not-a-heap`, `not-shared`, `version`, `geometry`, `bad-name`, `bad-option`.
   */
  static attach(token: HeapToken, options: AttachOptions = {}): SharedHeap {
    const name = threadName("SharedHeap.attach", options);
    checkToken(token);
    const arena = openArena(token);
    return new SharedHeap((tuning) => bootAttacher(arena, name, tuning), options);
  }

  /**
   * What another thread needs to attach: pass it as workerData, by postMessage or in
   * processorOptions. It gives the whole heap. Errors: `not-shared`, for a heap of one thread.
   */
  get token(): HeapToken {
    if (this.isShared) return this.ownToken;
    throw new SharedHeapError("not-shared", `this heap is one thread's own: ${notSharedAdvice()}`);
  }

  /** False for a heap over a plain ArrayBuffer. */
  get isShared(): boolean {
    return isSharedBuffer(this.ownToken.buffer);
  }

  /** This thread's number among the heap's CPUs, from 0. */
  get cpu(): number {
    return this.booted.cpu.id;
  }

  /**
   * Opens the any-size allocator of that name on this thread, or makes it: objects of up to 4,088
   * bytes, 11 sizes. Task context. Errors: `limit`, `mismatch`, `out-of-memory`, `bad-name`, `detached`; `destroyed`
   * (the group was dropped).
   */
  memAlloc(options: MemAllocOptions = {}): MemAlloc {
    return this.open.memAlloc(options);
  }

  /** Opens the fixed-size allocator of that name on this thread, or makes it. As `memAlloc`; also `bad-option`. */
  memCache<O extends MemCacheOptions>(options: O): MemCacheOf<O> {
    return this.open.memCache(options);
  }

  /**
   * Opens the group of that name on this thread, or makes it: allocators that are made with `memcg` are charged to it,
   * and together hold at most `max` bytes. Errors: `bad-name`, `bad-option`, `limit`, `mismatch`, `destroyed`, `detached`.
   */
  memcg(options: MemcgOptions): Memcg {
    return this.memcgs.open(options);
  }

  /**
   * Says what this thread does for objects of allocators that were made with `dtor: name`, before they go back
   * to slab (not when they are freed, or used again). It runs on whichever thread has been told, nested: it must
   * not wait. Chains of threads that were not told are left to the others. Errors: `bad-name`, `limit`, `detached`.
   */
  destructor(name: string, fn: Destructor): void {
    this.live().destructors.register(name, fn);
  }

  /** Opens the slab cache of that name, or makes it. Task context. Errors: `bad-option`, `bad-name`, `limit`, `mismatch`, `detached`. */
  kmemCache(options: KmemCacheOptions): KmemCache {
    const { kmalloc, directory, areas, cpu, allocators, debug } = this.live();
    const collect = (): boolean => {
      if (cpu.inTask()) allocators.reclaim();
      return cpu.inTask();
    };
    const collects = [collect, () => cpu.inTask() && allocators.askProgram()];
    const cache = openKmemCache(kmalloc, directory, areas, options, collects, debug);
    this.kmemCaches.push(cache);
    return cache;
  }

  /**
   * Memory of any size: up to 4,088 bytes from the any-size allocator named "malloc", above from
   * kmalloc. Returns its offset, a multiple of 8; 0 as the allocator it came from; 16 for size 0.
   * The first call opens the allocator. Errors: `bad-size`, `limit` (first call), `detached`.
   */
  malloc(bytes: number): number {
    return this.mallocs.alloc(bytes);
  }

  /** Frees what `malloc` returned, on any thread. 0 and 16 are ignored. Errors: those of the allocators' free. */
  free(p: number): void {
    this.mallocs.free(p);
  }

  /**
   * Memory of any size up to 128 MiB from the slab allocator, without a header: at least `bytes`
   * bytes. 0: out of memory, or nested in another kmalloc of that size. `flags`: 0 or GFP_ZERO.
   * Errors: `bad-size`, `bad-option`, `detached`.
   */
  kmalloc(bytes: number, flags = 0): number {
    const { kmalloc, cpu, allocators } = this.live();
    const p = kmalloc.alloc(bytes, flags);
    if (p !== 0 || bytes > this.ownToken.byteLength || !cpu.inTask()) return p;
    allocators.reclaim();
    return kmalloc.alloc(bytes, flags) || (allocators.askProgram() ? kmalloc.alloc(bytes, flags) : 0);
  }

  /** Frees what `kmalloc` returned, on any thread. 0 and 16 are ignored. Errors: `bad-pointer`, `detached`. */
  kfree(p: number): void {
    this.live().kmalloc.free(p);
  }

  /**
   * As `kmalloc`, for code that may have interrupted anything: it does its own few steps and nothing else. Up to 8,192
   * bytes; 0 above that, and where there is no memory. A call that is nested in the middle of an alloc of the same size
   * takes from the next larger slab cache, once. `flags`: 0, GFP_ZERO, GFP_ACCOUNT. In heaps made with `realtime` 0 in
   * hardirq and NMI contexts. Any context. Errors: `bad-size`, `bad-option`, `detached`.
   */
  kmallocNolock(bytes: number, flags = 0): number {
    const { kmalloc, cpu, arena } = this.live();
    return kmalloc.allocNolock(bytes, flags, arena.geometry.realtime && (cpu.inHardirq() || cpu.inNmi()));
  }

  /** Frees what `kmallocNolock` or `kmalloc` returned: `kfree` does it in any context. Errors: those of `kfree`. */
  kfreeNolock(p: number): void {
    this.kfree(p);
  }

  /**
   * Runs deferred work that is pending, and callbacks whose grace period has ended. A turn of the event loop does
   * the same while anything is pending; this is for threads without one. Task context.
   */
  poll(): void {
    const booted = this.live();
    poll(booted);
    if (!booted.cpu.inTask()) return;
    this.waiters.poll();
    if (!this.attached) return; // a closure may detach
    if (this.isWaiting()) this.stalls.look();
    else this.stalls.clear();
    booted.debug?.findings.tell();
  }

  /** Typed views of the heap from offset `p` on, `bytes` long or to the end. Errors: `bad-pointer`, `bad-size`. */
  view(p: number, bytes: number = this.ownToken.byteLength): HeapView {
    checkSize(bytes);
    if (typeof p !== "number" || p >>> 0 !== p || p % 8 !== 0 || p >= this.ownToken.byteLength) {
      throw new SharedHeapError(
        "bad-pointer",
        `view(${shown(p)}): use an offset that an allocation returned`,
      );
    }
    return new HeapView(this.ownToken, p, bytes);
  }

  /**
   * Gives back everything this thread's CPU holds, and the CPU. What was allocated stays; what waits for readers, or for
   * a thread that is in the middle of a poll, is collected by the next poll of another thread, be it a later one. The thread
   * may attach again. A second detach does nothing. Task context. Errors: `bad-context`, `rcu-unbalanced` (a read section is open).
   */
  detach(): void {
    if (!this.attached) return;
    this.isDetaching = true;
    try {
      detach(this.booted);
    } finally {
      this.isDetaching = false;
    }
    for (const cache of this.kmemCaches) cache.close();
    this.turns.stop();
    this.waiters.stop();
    this.deaths.stop();
    this.attached = false;
    this.booted.debug?.findings.tell();
  }

  [Symbol.dispose](): void {
    this.detach();
  }

  /** What a turn of the event loop does. Returns true if something is left for the next one. */
  private turn(): boolean {
    this.poll();
    if (!this.attached) return false;
    this.checkSection();
    return this.isWaiting() || this.booted.allocators.isDraining;
  }

  private isWaiting(): boolean {
    return !this.waiters.isEmpty || this.booted.callbacks.isPending();
  }

  /** At the beginning of a turn no synchronous section can be open: it would have outlived the one it began in. */
  private checkSection(): void {
    const section = this.booted.rcu.section(this.booted.cpu.id);
    if (section === 0 || section === this.toldSection) return;
    this.toldSection = section;
    const places = this.booted.debug?.sections.rcuOn(this.booted.cpu.id);
    throw new SharedHeapError(
      "rcu-unbalanced",
      `an RCU read section${openedAt(places)} was left open when a turn ended, and keeps memory from being used ` +
        "again: call readUnlock() before any await, or use heap.rcu.tasksTrace",
    );
  }

  /** `opens`: not while it detaches either, when a handler of a tracepoint may ask: nobody would give it up again. */
  protected live(opens = false): Booted {
    if (this.attached && !(opens && this.isDetaching)) return this.booted;
    throw new SharedHeapError("detached", "this thread has detached from the heap; attach again");
  }

  /** What this thread does about allocators that go away, or that it gives up because it detaches. */
  private program(): Program {
    return {
      gaveUp: (key) => {
        const isDestroyed = !this.isDetaching;
        this.open.gaveUp(key, isDestroyed);
        if (isDestroyed) this.mallocs.forgetDestroyed();
      },
      when: (isOver, result) => new Promise((resolve) => this.waiters.add(isOver, () => resolve(result()))),
      atMax: (group, refusing) => this.memcgs.atMax(group, refusing),
      atEnd: this.oomHandlers.call,
    };
  }
}
