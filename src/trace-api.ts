/** `heap.tracepoints`: functions of the program that the library calls from inside its operations. */
import { checkFunction, checkOptions, SharedHeapError, shown } from "./arena/index.ts";
import type { Probe, Tracepoints } from "./cpu/index.ts";

/** What there is to be traced. */
export type TracepointName =
  | "memalloc:alloc"
  | "memalloc:free"
  | "memalloc:refill"
  | "memalloc:trim"
  | "slab:alloc"
  | "slab:free"
  | "slab:new"
  | "slab:discard"
  | "rcu:gp_start"
  | "rcu:gp_end"
  | "rcu:callbacks"
  | "memcg:charge"
  | "memcg:fail"
  | "cpu:reap";

/** Called on the spot; what the numbers are says the table in the README. What it throws is told later, as an unhandled rejection. */
export type TraceHandler = (a: number, b: number) => void;

export interface TraceOptions {
  /**
   * true: also called for what it does itself, or a handler under it does, to a depth of 32 handlers. Default false.
   */
  readonly nested?: boolean;
}

/** Handlers that are under way at once, at most: fewer than contexts can nest, and stacks hold. */
const MAX_DEPTH = 32;

/** The fields of the core's tracepoints. */
const FIELDS: Readonly<Record<string, Exclude<keyof Tracepoints, "fire">>> = {
  "memalloc:refill": "refill",
  "memalloc:trim": "trim",
  "slab:alloc": "slabAlloc",
  "slab:free": "slabFree",
  "slab:new": "slabNew",
  "slab:discard": "slabDiscard",
  "rcu:gp_start": "gpStart",
  "rcu:gp_end": "gpEnd",
  "rcu:callbacks": "callbacks",
  "memcg:charge": "memcgCharge",
  "memcg:fail": "memcgFail",
  "cpu:reap": "reap",
};

/** An allocator's methods, which are traced by putting others in their place. */
export interface Traceable {
  alloc(size: number): number;
  allocFromSlab(size: number): number;
  free(p: number): void;
  freeRcu(p: number): void;
  rawFree(p: number): void;
  /** Of an OwnedCache only. */
  freeReclaimed?(p: number): void;
}

function isTracepoint(name: string): boolean {
  return Object.hasOwn(FIELDS, name) || name === "memalloc:alloc" || name === "memalloc:free";
}

/** Marks the methods that are put in between. */
const TRACED = Symbol("traced");

interface Handler {
  readonly fn: TraceHandler;
  readonly nested: boolean;
  isRunning: boolean;
}

export class TracepointsApi {
  private readonly core: Tracepoints;
  private readonly allocators: () => readonly Traceable[];
  private readonly checkLive: () => void;
  private readonly handlers = new Map<string, readonly Handler[]>();
  /** Handlers that are under way. */
  private depth = 0;

  /** `allocators`: those that this thread has open. */
  constructor(core: Tracepoints, allocators: () => readonly Traceable[], checkLive: () => void) {
    this.core = core;
    this.allocators = allocators;
    this.checkLive = checkLive;
  }

  /**
   * Has `handler` called in this thread, from inside the operations of that name, until the function that this returns
   * is called. It may call the heap again, whatever is under way: allocations that cannot be made there return 0.
   * Errors: `bad-option`, `detached`.
   *
   * @example
   * const off = heap.tracepoints.on("slab:new", (p, bytes) => counters.add(bytes));
   */
  on(name: TracepointName, handler: TraceHandler, options: TraceOptions = {}): () => void {
    this.checkLive();
    checkOptions("tracepoints.on", options);
    const { nested = false } = options;
    if (typeof name !== "string" || !isTracepoint(name))
      throw new SharedHeapError(
        "bad-option",
        `no tracepoint "${shown(name)}": see the README for their names`,
      );
    checkFunction("handler", handler);
    const entry: Handler = { fn: handler, nested, isRunning: false };
    this.set(name, [...(this.handlers.get(name) ?? []), entry]);
    return () =>
      this.set(
        name,
        (this.handlers.get(name) ?? []).filter((each) => each !== entry),
      );
  }

  /** An allocator was opened: it is traced if that is wanted. */
  opened(allocator: Traceable): void {
    this.closed(allocator);
    const onAlloc = this.probe("memalloc:alloc");
    const onFree = this.probe("memalloc:free");
    if (onAlloc === undefined && onFree === undefined) return;
    // a class in between, whose methods hide those of its own: so it gains no properties, which V8 would be slow to lose
    const traced = Object.create(Object.getPrototypeOf(allocator), { [TRACED]: { value: true } });
    if (onAlloc !== undefined) traceAllocs(traced, onAlloc);
    if (onFree !== undefined) traceFrees(traced, onFree);
    Object.setPrototypeOf(allocator, traced);
  }

  /** An allocator was closed: its calls fail, and nobody is told of them. */
  closed(allocator: Traceable): void {
    const methods = Object.getPrototypeOf(allocator);
    if (Object.hasOwn(methods, TRACED)) Object.setPrototypeOf(allocator, Object.getPrototypeOf(methods));
  }

  private set(name: string, handlers: readonly Handler[]): void {
    this.handlers.set(name, handlers);
    const field = FIELDS[name];
    if (field !== undefined) this.core[field] = this.probe(name);
    else for (const allocator of this.allocators()) this.opened(allocator);
  }

  /** What the core calls: all handlers of that name, or undefined. */
  private probe(name: string): Probe | undefined {
    const handlers = this.handlers.get(name) ?? [];
    if (handlers.length === 0) return undefined;
    return (a, b) => {
      for (let i = 0; i < handlers.length; i++) this.run(handlers[i], a, b);
    };
  }

  private run(handler: Handler, a: number, b: number): void {
    const wasRunning = handler.isRunning;
    if ((wasRunning && !handler.nested) || this.depth === MAX_DEPTH) return;
    handler.isRunning = true;
    this.depth++;
    try {
      handler.fn(a, b);
    } catch (error) {
      // the operation that is under way must go on: told as a promise that nobody looks at
      void Promise.reject(error);
    } finally {
      this.depth--;
      handler.isRunning = wasRunning;
    }
  }
}

/** `traced` is told of what the methods of its prototype return. */
function traceAllocs(traced: Traceable, probe: Probe): void {
  const { alloc, allocFromSlab } = Object.getPrototypeOf(traced) as Traceable;
  traced.alloc = function (size) {
    // as it was given: what is wrong with it is for the alloc to say
    const p = alloc.call(this, size);
    // a MemCache has none
    probe(p, size ?? 0);
    return p;
  };
  // what an alloc that has returned NULL, and said so, gets from slab
  traced.allocFromSlab = function (size) {
    const p = allocFromSlab.call(this, size);
    if (p !== 0) probe(p, size ?? 0);
    return p;
  };
}

/** `traced` is told of what is given to the methods of its prototype. */
function traceFrees(traced: Traceable, probe: Probe): void {
  for (const name of ["free", "freeRcu", "rawFree", "freeReclaimed"] as const) {
    const free = (Object.getPrototypeOf(traced) as Traceable)[name];
    if (free === undefined) continue;
    traced[name] = function (p) {
      probe(p, 0);
      free.call(this, p);
    };
  }
}
