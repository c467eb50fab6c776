/** `heap.rcu`: read sections and grace periods, as a program uses them. */
import { loadAcquire, storeRelease } from "#primitive";
import { checkFunction, SharedHeapError, shown } from "./arena/index.ts";
import type { Cpu } from "./cpu/index.ts";
import { type Barriers, type Flavour, RCU, type Rcu, type TasksTrace, TRACE } from "./rcu/index.ts";
import type { Stall, Stalls } from "./stalls.ts";
import type { Waiters } from "./waiters.ts";

/** What both kinds of grace periods stand on. */
export interface RcuLayers {
  readonly cpu: Cpu;
  readonly rcu: Rcu;
  readonly trace: TasksTrace;
  readonly barriers: Barriers;
}

/** What both kinds of grace periods offer. */
class GracePeriods {
  protected readonly checkLive: () => void;
  private readonly waiters: Waiters;
  private readonly barriers: Barriers;
  private readonly flavour: Flavour;
  private readonly periods: Rcu | TasksTrace;
  private readonly cpu: Cpu;
  /** Closures that were given, and that have run. */
  private given = 0;
  private ran = 0;

  constructor(layers: RcuLayers, flavour: Flavour, waiters: Waiters, checkLive: () => void) {
    this.checkLive = checkLive;
    this.waiters = waiters;
    this.barriers = layers.barriers;
    this.cpu = layers.cpu;
    this.flavour = flavour;
    this.periods = flavour === RCU ? layers.rcu : layers.trace;
  }

  /**
   * Runs `fn` on this thread, in a turn of its event loop or a poll, once every section that is open now has
   * ended. A closure dies with its thread: what must happen in any case is no work for it. Any context.
   * Errors: `bad-option`, `detached`.
   */
  call(fn: () => void): void {
    this.checkLive();
    checkFunction("the callback", fn);
    this.barriers.given(this.flavour);
    const target = this.periods.target();
    const number = this.given++;
    // one after the other, since barriers only count them
    const isNext = () => this.ran === number && this.periods.drive(target);
    this.waiters.add(isNext, () => this.runClosure(fn));
  }

  /** As `call`, and drives the grace period on at once, not from the next turn on. Any context. */
  callHurry(fn: () => void): void {
    this.call(fn);
    this.requestUrgent();
  }

  /** Drives the grace period on, as far as open sections let it; in nested contexts it is left to a poll. Errors: `detached`. */
  requestUrgent(): void {
    this.checkLive();
    if (!this.cpu.inTask()) return;
    this.periods.drive(this.periods.target());
    // what handlers of rcu:gp_end left
    this.cpu.irqWork.kick();
  }

  /**
   * Resolves once every section that is open now, on any thread, has ended. Awaited inside a section of this
   * kind it would wait for itself. Errors: `detached`.
   */
  synchronize(): Promise<void> {
    this.checkLive();
    const target = this.periods.target();
    return new Promise((resolve) => this.waiters.add(() => this.periods.drive(target), resolve));
  }

  /** Resolves once every callback given before, on all threads that are alive, has run. Errors: `detached`. */
  barrier(): Promise<void> {
    this.checkLive();
    const barrier = this.barriers.begin(this.flavour);
    return new Promise((resolve) => this.waiters.add(() => this.barriers.isPast(barrier), resolve));
  }

  private runClosure(fn: () => void): void {
    try {
      fn();
    } finally {
      // last: from here on barriers on other threads take it to have run
      this.ran++;
      this.barriers.ran(this.flavour);
    }
  }
}

/**
 * RCU: synchronous read sections, and what happens after all that are open have ended.
 *
 * @example
 * heap.rcu.readLock();
 * const p = rcuDereference(heap, slot); // stays what it is until readUnlock, if it is freed with freeRcu
 * heap.rcu.readUnlock();
 */
export class RcuApi extends GracePeriods implements Disposable {
  /** Sections that may span `await`s. */
  readonly tasksTrace: TasksTraceApi;
  private readonly rcu: Rcu;

  private readonly stalls: Stalls;

  constructor(layers: RcuLayers, waiters: Waiters, stalls: Stalls, checkLive: () => void) {
    super(layers, RCU, waiters, checkLive);
    this.rcu = layers.rcu;
    this.stalls = stalls;
    this.tasksTrace = new TasksTraceApi(layers, waiters, checkLive);
  }

  /**
   * Begins a read section; sections nest. It must end before this turn of the event loop does: no `await`
   * inside. Two atomic stores, with readUnlock; never waits. Any context. Errors: `detached`.
   */
  readLock(): void {
    this.checkLive();
    this.rcu.readLock();
  }

  /** Ends the innermost section. Any context. Errors: `rcu-unbalanced`, `detached`. */
  readUnlock(): void {
    this.checkLive();
    this.rcu.readUnlock();
  }

  /** As readLock, for `using section = heap.rcu.read()`, which ends it with the block. */
  read(): Disposable {
    this.readLock();
    return this;
  }

  /** Ends the innermost section. */
  [Symbol.dispose](): void {
    this.readUnlock();
  }

  /**
   * Has `fn` called, in a turn of this thread or a poll, when a section of either kind has kept memory or callbacks
   * waiting for 10 seconds, and again whenever that time has doubled. `heap.stats().rcu.blockedBy` lists such
   * sections from their first poll on. Returns a function that ends it. Task context. Errors: `bad-option`, `detached`.
   */
  onStall(fn: (stall: Stall) => void): () => void {
    this.checkLive();
    checkFunction("the listener", fn);
    return this.stalls.listen(fn);
  }
}

/** Tasks trace: read sections of async functions. Many may be open at once on a thread; they nest in any order. */
export class TasksTraceApi extends GracePeriods {
  private readonly trace: TasksTrace;

  constructor(layers: RcuLayers, waiters: Waiters, checkLive: () => void) {
    super(layers, TRACE, waiters, checkLive);
    this.trace = layers.trace;
  }

  /**
   * Begins a section. It may span `await`s, and ends by `exit` or `using`. Inside, memory of an allocator stays
   * memory of that allocator, whoever frees it. Any context. Errors: `detached`.
   *
   * @example
   * await using section = heap.rcu.tasksTrace.enter();
   */
  enter(): TraceSection {
    this.checkLive();
    return new TraceSection(this.trace, this.trace.enter());
  }

  /** As `enter`, without an object: returns what `unlock` needs. */
  lock(): number {
    this.checkLive();
    return this.trace.enter();
  }

  /** Ends the section that `lock` returned `phase` for. Errors: `rcu-unbalanced`, `detached`. */
  unlock(phase: number): void {
    this.checkLive();
    this.trace.exit(phase);
  }
}

/** An open tasks-trace section. */
export class TraceSection implements Disposable, AsyncDisposable {
  private readonly trace: TasksTrace;
  private phase: number;

  constructor(trace: TasksTrace, phase: number) {
    this.trace = trace;
    this.phase = phase;
  }

  /** Ends it. Errors: `rcu-unbalanced`, if it has ended. */
  exit(): void {
    if (this.phase < 0) {
      throw new SharedHeapError("rcu-unbalanced", "this tasks-trace section has ended already");
    }
    this.trace.exit(this.phase);
    this.phase = -1;
  }

  [Symbol.dispose](): void {
    this.exit();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.exit();
  }
}

/** What the two functions below need of a heap. */
interface HasWords {
  readonly i32: Int32Array;
}

/**
 * Publishes `p` in the 4 bytes at offset `slot`: whoever reads it there with rcuDereference sees all that was
 * written to the object before. (The kernel's rcu_assign_pointer.) Any context. Errors: `bad-pointer`.
 */
export function rcuAssignPointer(heap: HasWords, slot: number, p: number): void {
  if (!isUint32(p)) throw new SharedHeapError("bad-pointer", `${shown(p)} is not an offset: use 0 for NULL`);
  // pairs with rcuDereference: publishes the object
  storeRelease(heap.i32, slotOf(heap, slot), p | 0);
}

/**
 * Reads the pointer in the 4 bytes at offset `slot`, inside a read section. (The kernel's rcu_dereference.)
 * An atomic load: a plain one would be a data race with rcuAssignPointer. Any context. Errors: `bad-pointer`.
 */
export function rcuDereference(heap: HasWords, slot: number): number {
  // pairs with rcuAssignPointer
  return loadAcquire(heap.i32, slotOf(heap, slot)) >>> 0;
}

function isUint32(value: unknown): value is number {
  return typeof value === "number" && value >>> 0 === value;
}

function slotOf(heap: HasWords, slot: number): number {
  if (isUint32(slot) && (slot & 3) === 0 && slot >>> 2 < heap.i32.length) return slot >>> 2;
  throw new SharedHeapError("bad-pointer", `slot ${shown(slot)}: not an offset of this heap, aligned to 4`);
}
