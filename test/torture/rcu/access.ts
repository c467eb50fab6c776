/** This thread's access to the heap, which it gives up and gets again, and its allocators. */
import type { MemAlloc, MemCache, SharedHeap } from "sharedheap";
import type { Tally } from "./counters.ts";
import { FIXED_BYTES, type Type } from "./kinds.ts";
import type { Library } from "./library.ts";

/** Pause between polls of a thread that the heap has no turns of. */
const POLL_MS = 2;

export class Access {
  heap: SharedHeap;
  private readonly library: Library;
  private readonly tally: Tally;
  private fixed: MemCache;
  private any: MemAlloc;
  /** Polls, where the heap has no turns of this thread's event loop. */
  private poller: NodeJS.Timeout | undefined;

  constructor(library: Library, heap: SharedHeap, tally: Tally) {
    this.library = library;
    this.tally = tally;
    this.heap = heap;
    this.fixed = heap.memCache({ name: "torture fixed", size: FIXED_BYTES });
    this.any = heap.memAlloc({ name: "torture any" });
  }

  detach(): void {
    clearInterval(this.poller);
    this.heap.detach();
  }

  /** Attaches again. Without `turns` the thread polls instead. */
  attach(turns: boolean): void {
    const heap = this.library.SharedHeap.attach(this.heap.token, { turns });
    this.heap = heap;
    if (!turns) this.poller = setInterval(() => heap.poll(), POLL_MS);
    this.fixed = this.heap.memCache({ name: "torture fixed", size: FIXED_BYTES });
    this.any = this.heap.memAlloc({ name: "torture any" });
    this.tally.add("attaches");
  }

  /** 0 in a nested context whose stock is used up; in task context that is a failure, counted. */
  alloc(type: Type): number {
    const p = type.pool === "fixed" ? this.fixed.alloc() : this.any.alloc(type.bytes);
    if (p === 0 && this.heap.context.inTask()) this.tally.add("nulls");
    return p;
  }

  free({ pool }: Type, p: number): void {
    if (pool === "fixed") this.fixed.free(p);
    else this.any.free(p);
    this.tally.add("frees");
  }

  freeRcu({ pool }: Type, p: number): void {
    if (pool === "fixed") this.fixed.freeRcu(p);
    else this.any.freeRcu(p);
    this.tally.add("freeRcu");
  }

  /** The pointer in a slot. Inside a section of the kind that the slot's elements are for. */
  dereference(slot: number): number {
    return this.library.rcuDereference(this.heap, slot);
  }

  /** Publishes in a slot that only this thread replaces. Returns what was there. */
  assign(slot: number, p: number): number {
    const old = this.library.rcuDereference(this.heap, slot);
    this.library.rcuAssignPointer(this.heap, slot, p);
    return old;
  }

  /** Publishes in a slot that others replace too. Returns what was there. */
  exchange(slot: number, p: number): number {
    return Atomics.exchange(this.heap.i32, slot >>> 2, p) >>> 0;
  }
}
