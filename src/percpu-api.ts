/** `heap.percpu`: objects that have a slot on each possible CPU. */
import { checkFunction, inRange, SharedHeapError } from "./arena/index.ts";
import type { Booted } from "./boot.ts";
import type { MemCache } from "./memalloc/index.ts";
import { type Percpu, percpuSlot } from "./mm/index.ts";
import { COUNTER_BYTES, PerCpuCounter } from "./percpu-counter.ts";
import { PercpuObjects } from "./percpu-objects.ts";

export class PercpuApi {
  /** Small per-CPU objects of any size, from caches that all threads share. */
  readonly objects: PercpuObjects;
  private readonly live: () => Booted;
  private readonly maxCpus: number;
  private readonly cpu: number;

  /** `live` throws once the thread has detached; `open` opens a cache of per-CPU objects on this thread. */
  constructor(booted: Booted, live: () => Booted, open: (name: string, size: number) => MemCache) {
    this.live = live;
    this.maxCpus = booted.cpus.maxCpus;
    this.cpu = booted.cpu.id;
    this.objects = new PercpuObjects(live, open);
  }

  /**
   * An object with a slot of `bytes` bytes, 1 to 4096, on each possible CPU, all of them zero. Returns an offset for
   * `thisCpuPtr` and `perCpuPtr`; 0: out of memory, or more than 4096 bytes; 16 for size 0. A thread that attaches
   * later finds its slot; one that takes over the CPU of a thread that left goes on with what that had in it, so sums stay
   * right. (The kernel's alloc_percpu.) Any context. Errors: `bad-size`, `detached`.
   */
  alloc(bytes: number): number {
    return this.live().kmalloc.percpu.alloc(bytes);
  }

  /** Frees what `alloc` returned; 0 and 16 are ignored. Any context. Errors: `bad-pointer`, `detached`. */
  free(p: number): void {
    this.live().kmalloc.percpu.free(p);
  }

  /** The offset of this thread's slot of the object at `p`: plain loads and stores will do, nobody else writes there. */
  thisCpuPtr(p: number): number {
    return percpuSlot(p, this.cpu);
  }

  /** The offset of the slot on CPU `cpu`, 0 to maxCpus - 1; its owner may be writing to it. Errors: `bad-option`. */
  perCpuPtr(p: number, cpu: number): number {
    return percpuSlot(p, inRange("cpu", cpu, 0, this.maxCpus - 1));
  }

  /** Calls `fn` with the offset of each possible CPU's slot, and the CPU: also of those that nobody has. Errors: `bad-option`. */
  forEachCpu(p: number, fn: (slot: number, cpu: number) => void): void {
    checkFunction("fn", fn);
    for (let cpu = 0; cpu < this.maxCpus; cpu++) fn(percpuSlot(p, cpu), cpu);
  }

  /**
   * A new counter; with `offset`, another thread's `counter.offset`, that one. Errors: `out-of-memory`, `bad-option`, `bad-pointer`
   * (no per-CPU object of that size starts there), `detached`.
   *
   * @example
   * const hits = heap.percpu.counter();
   * heap.roots.set("hits", hits.offset); // elsewhere: heap.percpu.counter(heap.roots.get("hits"))
   */
  counter(offset = 0): PerCpuCounter {
    const { arena, kmalloc } = this.live();
    if (offset !== 0) this.checkCounter(kmalloc.percpu, inRange("offset", offset, 0, arena.geometry.bytes));
    return new PerCpuCounter(arena.words, this, this.cpu, this.maxCpus, offset);
  }

  /** Elsewhere it would count in what is another's, or beyond the heap. */
  private checkCounter(percpu: Percpu, offset: number): void {
    if (percpu.unitAt(offset) >= COUNTER_BYTES) return;
    throw new SharedHeapError(
      "bad-pointer",
      `counter(${offset}): no counter is there; use another one's offset`,
    );
  }
}
