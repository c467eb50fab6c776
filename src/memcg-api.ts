/** `heap.memcg`: accounting groups, as a program uses them. */
import { checkFunction, checkOptions, inRange, type Ref, SharedHeapError } from "./arena/index.ts";
import type { MemcgCounters, Memcgs } from "./mm/index.ts";
import { tell } from "./tell.ts";

/** What `heap.memcg` takes. */
export interface MemcgOptions {
  /** Threads that open a group of the same name share it. */
  readonly name: string;
  /** Most bytes that may be charged, 0 to 2^32, or Infinity, the default. Counts when the group is made. */
  readonly max?: number;
  /** The group that is charged too. One that exists is opened without it, or with the parent that it has. */
  readonly parent?: Memcg;
}

/** What the groups of a thread stand on. */
interface Heap {
  readonly memcgs: Memcgs;
  readonly checkLive: () => void;
  /** Something waits for a turn or a poll. */
  readonly wake: () => void;
}

/** A function of `onMax`, and the group that it is for. */
interface Handler {
  readonly ref: Ref;
  readonly fn: () => void;
}

/** Where a group's handlers are kept. */
interface Handlers {
  add(handler: Handler): () => void;
}

/**
 * A group that is charged with the memory of its allocators and of the groups below it: as one thread has it. A charge
 * is what slab holds for an object, from when it leaves slab until it is back, in use or not; and up to 8 KiB a CPU in advance.
 * All of it: any context. Errors: `detached`, and `destroyed` once the group was dropped.
 *
 * @example
 * const tenant = heap.memcg({ name: "tenant-a", max: 8 * 2 ** 20 });
 * const sessions = heap.memCache({ name: "sessions-a", size: 200, memcg: tenant });
 */
export class Memcg {
  readonly name: string;
  private readonly heap: Heap;
  private readonly ref: Ref;
  private readonly handlers: Handlers;

  /** Made by `heap.memcg`. */
  constructor(heap: Heap, name: string, ref: Ref, handlers: Handlers) {
    this.heap = heap;
    this.name = name;
    this.ref = ref;
    this.handlers = handlers;
  }

  /** Where the group lies in the heap: what tracepoints call it. When it has gone, another one may lie there. */
  get offset(): number {
    this.checkLive();
    return this.ref.record * 4;
  }

  /** Most bytes that may be charged. Set below what is charged now: nothing new is, until it falls. Errors: `bad-option`. */
  get max(): number {
    return this.counters.max;
  }

  set max(bytes: number) {
    this.checkLive();
    this.heap.memcgs.setMax(this.ref, checkMax(bytes));
  }

  /** Bytes charged now. */
  get current(): number {
    return this.counters.current;
  }

  /** The most bytes that ever were. */
  get peak(): number {
    return this.counters.peak;
  }

  /** How often an alloc returned 0 because this group was full. */
  get failures(): number {
    return this.counters.failures;
  }

  /** How often a charge, of this group or one below, did not fit under `max`. A refill that is cut short is one, too. */
  get maxHits(): number {
    return this.counters.maxHits;
  }

  /**
   * Has `fn` called in this thread when an alloc in task context of this group, or one below it, finds it full, or one
   * above it: before 0 is returned. It may free things, or raise `max`; the alloc then tries once more. The same for a
   * `reserve` that gets less than it asks for, and for a new allocator that does not get its first objects. It runs nested:
   * an alloc inside returns 0 where there is no stock, and calls it no further. What it throws is told later, as an
   * unhandled rejection. Returns what ends it. Errors: `bad-option`.
   *
   * @example
   * const off = tenant.onMax(() => cache.evict());
   */
  onMax(fn: () => void): () => void {
    this.checkLive();
    checkFunction("onMax's handler", fn);
    return this.handlers.add({ ref: this.ref, fn });
  }

  /**
   * Ends the group, for all threads: no more allocators and groups are made in it, and its name may be taken again. It
   * goes when the last charge, group below it and allocator of it are gone; until then `heap.stats().groups` has it.
   */
  drop(): void {
    this.checkLive();
    this.heap.memcgs.drop(this.ref);
    this.heap.wake();
  }

  /** The group's record, for the heap object that opened it: another one has its own. Errors: `bad-option`. */
  refFor(memcgs: Memcgs): Ref {
    if (this.heap.memcgs === memcgs) return this.ref;
    throw new SharedHeapError(
      "bad-option",
      `group "${this.name}" was opened on another heap object: open it on this one, by its name`,
    );
  }

  private get counters(): MemcgCounters {
    this.checkLive();
    return this.heap.memcgs.counters(this.ref);
  }

  private checkLive(): void {
    this.heap.checkLive();
    this.heap.memcgs.checkLive(this.ref);
  }
}

/** The groups of a thread, and the functions that it has called when they are full. */
export class MemcgApi implements Handlers {
  private readonly heap: Heap;
  private handlers: readonly Handler[] = [];

  constructor(memcgs: Memcgs, checkLive: () => void, wake: () => void) {
    this.heap = { memcgs, checkLive, wake };
  }

  /** See SharedHeap.memcg. */
  open(options: MemcgOptions): Memcg {
    this.heap.checkLive();
    checkOptions("memcg", options);
    const { name, max = Infinity, parent } = options;
    const { memcgs } = this.heap;
    const ref = memcgs.open(name, checkMax(max), this.refOf(parent, "parent"));
    return new Memcg(this.heap, name, ref, this);
  }

  /** What an option says. Errors: `bad-option`. */
  refOf(group: Memcg | undefined, option = "memcg"): Ref | undefined {
    if (group === undefined) return undefined;
    if (group instanceof Memcg) return group.refFor(this.heap.memcgs);
    throw new SharedHeapError("bad-option", `${option} is no group: use what heap.memcg() returned`);
  }

  add(handler: Handler): () => void {
    // those of groups that were dropped are of no use any more
    const live = this.handlers.filter(({ ref }) => this.heap.memcgs.isLive(ref));
    this.handlers = [...live, handler];
    return () => {
      this.handlers = this.handlers.filter((each) => each !== handler);
    };
  }

  /** A group needs more than `refusing` has room for: calls the functions for it, and for those on the way there. */
  atMax(group: number, refusing: number): void {
    const { charges } = this.heap.memcgs.stock;
    for (const { ref, fn } of this.handlers) {
      const isBetween = charges.isUnder(group, ref.record) && charges.isUnder(ref.record, refusing);
      if (isBetween && this.heap.memcgs.isLive(ref)) tell(fn);
    }
  }
}

function checkMax(max: number): number {
  return max === Infinity ? max : inRange("max", max, 0, 2 ** 32);
}
