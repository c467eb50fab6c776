/** Which allocators there are, which CPUs have them open, and how they end. */
import { loadAcquire, storeRelease } from "#primitive";
import { type Directory, destroyedError, type Ref } from "../arena/index.ts";
import { RECORD_DATA } from "../arena/layout.ts";
import type { PercpuAreas } from "../cpu/index.ts";
import type { Kmalloc, Memcgs } from "../mm/index.ts";
import { UNIT_BYTES } from "../mm/layout.ts";
import type { Caches } from "./cache.ts";
import { type Allocator, describe } from "./description.ts";
import type { Destructors } from "./destructors.ts";
import type { Guard } from "./guard.ts";
import { ALLOC_KEY, CACHE_WORDS, CHAINS, OPEN, PIN, REFILLS, ROUND_PENDING, TAKEN, TRIMS } from "./layout.ts";
import { takenBytes } from "./leaks.ts";
import type { AtLimits } from "./reclaim.ts";
import type { Registry } from "./registry.ts";
import type { Watermarks } from "./sizes.ts";

/** What `destroy` found. */
export interface Destroyed {
  /** Offsets of the objects that were out and will not come back: nobody can free them any more. */
  readonly leaked: readonly number[];
  /** In debug heaps: where each of them was allocated. */
  readonly allocatedAt?: readonly string[];
}

/** What the thread's program has to do with allocators that go away. */
export interface Program extends AtLimits {
  /** This CPU has given up the allocator with that key: its objects in this thread are of no use any more. */
  readonly gaveUp: (key: number) => void;
  /** Resolves to `result()` once `isOver()`. */
  readonly when: (isOver: () => boolean, result: () => Destroyed) => Promise<Destroyed>;
}

/** What allocators stand on. */
export interface Parts {
  readonly directory: Directory;
  readonly registry: Registry;
  readonly areas: PercpuAreas;
  readonly kmalloc: Kmalloc;
  readonly caches: Caches;
  readonly destructors: Destructors;
  readonly memcgs: Memcgs;
  /** The same on every thread of a heap. */
  readonly watermarks: (unitBytes: number) => Watermarks;
  readonly program: Program;
  /** In debug heaps: for all but per-CPU objects. */
  readonly guard?: Guard | undefined;
}

export abstract class Lifetimes {
  protected readonly parts: Parts;
  protected readonly directory: Directory;
  protected readonly registry: Registry;
  protected readonly areas: PercpuAreas;
  protected readonly caches: Caches;

  constructor(parts: Parts) {
    this.parts = parts;
    this.directory = parts.directory;
    this.registry = parts.registry;
    this.areas = parts.areas;
    this.caches = parts.caches;
  }

  /** All allocators of the heap, those that are going away too. */
  list(): Allocator[] {
    return this.registry.list().map((ref) => this.describe(ref));
  }

  /** This CPU's instance of every cache of the heap, opened or not. */
  ownCaches(): number[] {
    return this.list().flatMap((allocator) => this.cachesOn(this.caches.cpu.id, allocator));
  }

  /** The addresses of an allocator's caches on a CPU. */
  cachesOn(cpu: number, allocator: Allocator): number[] {
    const first = this.areas.areaOf(cpu) + allocator.percpu;
    return allocator.unitSizes.map((_, i) => first + i * CACHE_WORDS);
  }

  protected describe(ref: Ref): Allocator {
    return describe(this.directory, this.parts.kmalloc.sets, ref, this.parts.guard?.aroundBytes);
  }

  /**
   * Ends an allocator: from here on CPUs give it up when they poll, and the last poll that finds nothing left
   * releases it. Returns at once. Task context. Errors: `destroyed`, `bad-context`.
   */
  destroy(allocator: Allocator): void {
    this.caches.cpu.checkTask("destroy()");
    if (!this.registry.drain(allocator.ref)) throw destroyedError(allocator.name);
    this.giveUp(allocator);
    this.caches.cpu.wake();
  }

  /** True while an allocator is going away: it needs polls. */
  get isDraining(): boolean {
    return this.registry.isDraining;
  }

  /** This CPU's part in the end of allocators that are going away. Task context. */
  poll(): void {
    // without a list, and its iterator: threads in real time poll
    if (!this.isDraining) return;
    for (const ref of this.registry.draining()) {
      // a handler of a tracepoint, in an earlier round, may have opened another one in the same record
      if (this.registry.isGone(ref)) continue;
      const allocator = this.describe(ref);
      if (this.isPinned(this.caches.cpu.id, allocator)) this.giveUp(allocator);
      this.release(allocator);
    }
  }

  /** This CPU's thread died, and another one acts as it: see Caches.settle. Those too that are gone: their places are used again. */
  settle(): void {
    for (const ref of this.registry.every()) {
      // written last: a record without it has had no caches yet, and may not say how many there will be
      if (this.directory.load(ref.record, RECORD_DATA + ALLOC_KEY) === 0) continue;
      for (const cache of this.cachesOn(this.caches.cpu.id, this.describe(ref))) this.caches.settle(cache);
    }
  }

  /** Gives up this CPU's caches of all allocators. Task context; the CPU is dying. */
  giveUpAll(): void {
    for (const allocator of this.list())
      if (this.isPinned(this.caches.cpu.id, allocator)) this.giveUp(allocator);
  }

  /** Gives up this CPU's caches of an allocator: what they have goes the way of all freed objects. */
  protected giveUp(allocator: Allocator): void {
    for (const cache of this.cachesOn(this.caches.cpu.id, allocator)) this.caches.close(cache);
    this.parts.program.gaveUp(allocator.key);
    // the last access: pairs with the loads in release
    this.pin(allocator, 0);
  }

  /** Releases an allocator that nobody has open and whose chains are all back in slab. */
  private release(allocator: Allocator): void {
    const { maxCpus } = this.areas;
    // all pins before all chains: a CPU that has it open may make chains whose home is any other
    for (let cpu = 0; cpu < maxCpus; cpu++) if (this.isPinned(cpu, allocator)) return;
    for (let cpu = 0; cpu < maxCpus; cpu++) if (!this.isQuiet(cpu, allocator)) return;
    if (!this.registry.claimRelease(allocator.ref)) return;
    this.parts.memcgs.lose(allocator.memcg, this.lostUnits(allocator));
    this.retire(allocator);
    // the last: from here on the group may go
    if (allocator.memcg !== 0) this.parts.memcgs.letGo(allocator.memcg);
  }

  /** Those whose release a thread was in the middle of when it died. */
  releasing(): Allocator[] {
    return this.registry.releasing().map((ref) => this.describe(ref));
  }

  /** The record of an allocator that is being released may be used again. */
  retire(allocator: Allocator): void {
    for (let cpu = 0; cpu < this.areas.maxCpus; cpu++) {
      for (const cache of this.cachesOn(cpu, allocator))
        for (const count of [TAKEN, REFILLS, TRIMS]) storeRelease(this.areas.words, cache + count, 0);
    }
    this.registry.retire(allocator.ref);
  }

  /** Units that slab gave for objects and has not got back: the group stays charged with them. */
  lostUnits(allocator: Allocator): number {
    const { words, maxCpus } = this.areas;
    const caches = Array.from({ length: maxCpus }, (_, cpu) => this.cachesOn(cpu, allocator));
    return caches.reduce((sum, each) => sum + takenBytes(words, each, allocator.slabCaches), 0) / UNIT_BYTES;
  }

  /** True if no chain is on its way home to a CPU's caches. Once all CPUs gave up, that stays so. */
  private isQuiet(cpu: number, allocator: Allocator): boolean {
    const { words } = this.areas;
    return this.cachesOn(cpu, allocator).every(
      // pairs with the last step of Pipeline.release
      (cache) => loadAcquire(words, cache + CHAINS) === 0 && loadAcquire(words, cache + ROUND_PENDING) === 0,
    );
  }

  /** Runs `fn` with an allocator pinned on this CPU, so that it is not released meanwhile; not if it is going away. */
  whilePinned(allocator: Allocator, fn: () => void): void {
    const wasPinned = this.isPinned(this.caches.cpu.id, allocator);
    // before the look at the phase, as in open
    this.pin(allocator, 1);
    if (this.registry.isLive(allocator.ref)) fn();
    // a handler of a tracepoint may have opened it in between: then it stays pinned
    if (!wasPinned && !this.isOpenHere(allocator)) this.pin(allocator, 0);
  }

  private isOpenHere(allocator: Allocator): boolean {
    return loadAcquire(this.areas.words, this.caches.cpu.area + allocator.percpu + OPEN) !== 0;
  }

  protected pin(allocator: Allocator, value: number): void {
    storeRelease(this.areas.words, this.caches.cpu.area + allocator.percpu + PIN, value);
  }

  protected isPinned(cpu: number, allocator: Allocator): boolean {
    return loadAcquire(this.areas.words, this.areas.areaOf(cpu) + allocator.percpu + PIN) !== 0;
  }
}
