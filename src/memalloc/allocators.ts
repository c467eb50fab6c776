/** Opening allocators, and ending them: by name, the same one on every thread. */
import { loadAcquire, peek, storeRelease } from "#primitive";
import {
  checkName,
  type Directory,
  destroyedError,
  inRange,
  type Ref,
  SharedHeapError,
} from "../arena/index.ts";
import { RECORD_DATA } from "../arena/layout.ts";
import type { PercpuAreas } from "../cpu/index.ts";
import { isOffset, type Kmalloc, type Made, type Memcgs } from "../mm/index.ts";
import { UNIT_BYTES } from "../mm/layout.ts";
import type { Caches } from "./cache.ts";
import { type Allocator, checkSame, describe, flagsOf, type Wanted } from "./description.ts";
import type { Destructors } from "./destructors.ts";
import { checkWord, keyOf, wrongFree } from "./header.ts";
import {
  ALLOC_DTOR,
  ALLOC_FLAGS,
  ALLOC_KEY,
  ALLOC_MEMCG,
  ALLOC_PERCPU,
  CACHE_WORDS,
  CHAINS,
  HEADER_BYTES,
  MAX_FIXED_PAYLOAD,
  MAX_OWNED_PAYLOAD,
  MAX_PERCPU_PAYLOAD,
  OBJECT_CHECK,
  OBJECT_HOME,
  OPEN,
  OWNED_BYTES,
  PIN,
  REFILLS,
  ROUND_PENDING,
  TAKEN,
  TRIMS,
} from "./layout.ts";
import { freeLeaked, leakedObjects, takenBytes } from "./leaks.ts";
import { MemAlloc, type Opened } from "./mem-alloc.ts";
import { MemCache } from "./mem-cache.ts";
import { OwnedCache } from "./owned-cache.ts";
import type { AtLimits } from "./reclaim.ts";
import type { Registry } from "./registry.ts";
import { cacheTable, PERCPU_WATERMARKS, type Watermarks } from "./sizes.ts";

/** What `destroy` found. */
export interface Destroyed {
  /** Offsets of the objects that were out and will not come back: nobody can free them any more. */
  readonly leaked: readonly number[];
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
}

export class Allocators {
  private readonly parts: Parts;
  private readonly directory: Directory;
  private readonly registry: Registry;
  private readonly areas: PercpuAreas;
  private readonly caches: Caches;

  constructor(parts: Parts) {
    this.parts = parts;
    this.directory = parts.directory;
    this.registry = parts.registry;
    this.areas = parts.areas;
    this.caches = parts.caches;
  }

  /**
   * Opens the any-size allocator of that name on this CPU, or makes it. Errors: `limit`, `mismatch`,
   * and `out-of-memory` if it is new and its first objects cannot be had, unless `evenEmpty`. One that
   * is there already can be opened in a full heap too: how else to free what it gave out. `memcg`: the group that is
   * charged; without it a new one has none, and one that exists is opened whatever it has. `destroyed`: that was dropped.
   */
  openMemAlloc(name: string, evenEmpty: boolean, memcg?: Ref): MemAlloc {
    const allocator = this.open(name, { size: 0, dtor: "", memcg }, evenEmpty);
    const table = cacheTable(this.caches.cpu.area + allocator.percpu);
    return new MemAlloc(this.opened(allocator), table, this.areas.areaWords);
  }

  /** The same for a fixed-size allocator of `size` bytes, 1 to 8184, with the destructor of that name if any. */
  openMemCache(name: string, size: number, dtor = "", isPercpu = false, memcg?: Ref): MemCache {
    const max = isPercpu ? MAX_PERCPU_PAYLOAD : MAX_FIXED_PAYLOAD;
    inRange("size", size, 1, max);
    return this.memCacheOf(this.open(name, { size, dtor, isPercpu, memcg }, false), size);
  }

  /** The same for one whose objects name who allocated them, of 1 to 8176 bytes. */
  openOwnedCache(name: string, size: number, dtor = "", memcg?: Ref): OwnedCache {
    inRange("size", size, 1, MAX_OWNED_PAYLOAD);
    const allocator = this.open(name, { size, dtor, isOwned: true, memcg }, false);
    const inner = this.memCacheOf(allocator, size + OWNED_BYTES);
    const [cache] = this.cachesOn(this.caches.cpu.id, allocator);
    return new OwnedCache(inner, this.opened(allocator), cache, size);
  }

  /** `size`: of what the cache itself takes for payload. */
  private memCacheOf(allocator: Allocator, size: number): MemCache {
    const [cache] = this.cachesOn(this.caches.cpu.id, allocator);
    const watermarks = this.watermarksOf(allocator, allocator.unitSizes[0]);
    return new MemCache(this.opened(allocator), size, cache, watermarks, allocator.isPercpu);
  }

  private watermarksOf({ isPercpu }: Allocator, unitBytes: number): Watermarks {
    return isPercpu ? PERCPU_WATERMARKS : this.parts.watermarks(unitBytes);
  }

  /** Throws unless `p` is a live object of that name's allocator. For threads that do not have it open. */
  checkLive(name: string, p: unknown): void {
    if (!this.isLive(name, p)) throw wrongFree(this.caches.pages, this.directory, name, p);
  }

  /** True if `p` is a live object of the allocator of that name. */
  isLive(name: string, p: unknown): boolean {
    const ref = this.registry.find(name);
    const { pages } = this.caches;
    if (ref === undefined || !isOffset(pages, p)) return false;
    const node = (p - HEADER_BYTES) >>> 2;
    const home = peek(pages.words, node + OBJECT_HOME);
    return peek(pages.words, node + OBJECT_CHECK) === checkWord(p, home, this.describe(ref).key);
  }

  /** See `freeLeaked`. */
  freeLeaked(leaked: readonly number[]): void {
    freeLeaked(this.parts.kmalloc, this.list(), leaked);
  }

  /** Out of memory: see Caches.reclaim. Task context. */
  reclaim(): void {
    this.caches.reclaim();
  }

  /** Still out of memory: see Caches.askProgram. Task context. */
  askProgram(): boolean {
    return this.caches.askProgram();
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

  // -- going away -------------------------------------------------------------------------------

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
  private giveUp(allocator: Allocator): void {
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

  private pin(allocator: Allocator, value: number): void {
    storeRelease(this.areas.words, this.caches.cpu.area + allocator.percpu + PIN, value);
  }

  private isPinned(cpu: number, allocator: Allocator): boolean {
    return loadAcquire(this.areas.words, this.areas.areaOf(cpu) + allocator.percpu + PIN) !== 0;
  }

  // -- opening ----------------------------------------------------------------------------------

  private open(name: string, wanted: Wanted, evenEmpty: boolean): Allocator {
    const { dtor, memcg } = wanted;
    checkName(name);
    if (memcg !== undefined) this.parts.memcgs.checkLive(memcg);
    // each further round is owed to a destroy
    for (;;) {
      const found = this.registry.find(name);
      const dtorRecord = this.dtorRecord(dtor, found === undefined);
      const { ref, isNew } =
        found === undefined ? this.make(name, wanted, dtorRecord) : { ref: found, isNew: false };
      const allocator = this.describe(ref);
      // after its words were read: if it has been destroyed, they may be those of another one by now
      if (this.registry.isLive(ref)) checkSame(allocator, wanted, dtorRecord);
      const wasPinned = this.isPinned(this.caches.cpu.id, allocator);
      // before the look at the phase: either that sees the destroy, or the destroy sees the pin
      this.pin(allocator, 1);
      if (this.registry.isLive(ref) && (isNew || this.registry.join(ref))) {
        const mayBeEmpty = !isNew || evenEmpty;
        if (!this.openCaches(allocator) && !mayBeEmpty && !this.retryOpen(allocator))
          this.refuseEmpty(allocator);
        return allocator;
      }
      if (!wasPinned) this.pin(allocator, 0);
    }
  }

  private opened(allocator: Allocator): Opened {
    const { name, key } = allocator;
    const destroy = (): Promise<Destroyed> => {
      this.destroy(allocator);
      return this.parts.program.when(
        () => this.registry.isGone(allocator.ref),
        () => ({ leaked: leakedObjects(this.parts.kmalloc, allocator) }),
      );
    };
    const { caches, directory } = this;
    const watermarks = (unitBytes: number) => this.watermarksOf(allocator, unitBytes);
    return { name, key, caches, directory, watermarks, destroy };
  }

  /** 0: none. A record is made only for an allocator that is: one that is refused must not cost a name. */
  private dtorRecord(dtor: string, isNew: boolean): number {
    if (dtor === "") return 0;
    return isNew ? this.parts.destructors.record(dtor) : this.parts.destructors.find(dtor);
  }

  /** Makes it, or finds the one that another thread made meanwhile: that is not to go away if it stays empty here. */
  private make(name: string, wanted: Wanted, dtor: number): Made {
    const { directory } = this;
    const { size, memcg } = wanted;
    const fill = ({ record, generation }: Ref): void => {
      directory.store(record, RECORD_DATA + ALLOC_DTOR, dtor);
      directory.store(record, RECORD_DATA + ALLOC_FLAGS, flagsOf(wanted));
      directory.store(record, RECORD_DATA + ALLOC_MEMCG, memcg?.record ?? 0);
      const percpu = directory.load(record, RECORD_DATA + ALLOC_PERCPU);
      directory.store(record, RECORD_DATA + ALLOC_KEY, keyOf(percpu, generation));
    };
    return this.parts.memcgs.makeHolder(memcg, (filled) =>
      this.registry.make(name, size, (ref) => {
        fill(ref);
        filled(ref);
      }),
    );
  }

  private describe(ref: Ref): Allocator {
    return describe(this.directory, this.parts.kmalloc.sets, ref);
  }

  /** False if the first objects of some cache could not be had; all are open then too. */
  private openCaches(allocator: Allocator): boolean {
    let filled = true;
    this.cachesOn(this.caches.cpu.id, allocator).forEach((cache, i) => {
      const unitBytes = allocator.unitSizes[i];
      const { key } = allocator;
      const owner = allocator.ref.record;
      const slabCache = allocator.slabCaches[i];
      const watermarks = this.watermarksOf(allocator, unitBytes);
      const config = { unitBytes, slabCache, watermarks, key, owner };
      if (!this.caches.open(cache, config)) filled = false;
    });
    return filled;
  }

  /** The same once what waits for nobody has been collected; not if it is the group that is full. */
  private retryOpen(allocator: Allocator): boolean {
    if (allocator.memcg !== 0 && this.caches.isAtMax(this.cachesOn(this.caches.cpu.id, allocator)))
      return false;
    this.reclaim();
    return this.openCaches(allocator) || (this.askProgram() && this.openCaches(allocator));
  }

  /** The allocator is new and nothing could be had for it: it goes away again, unless others have opened it by now. */
  private refuseEmpty(allocator: Allocator): void {
    if (!this.registry.refuse(allocator.ref)) return;
    this.giveUp(allocator);
    this.poll();
    throw new SharedHeapError(
      "out-of-memory",
      `allocator "${allocator.name}": no memory for its first objects; free some, or make a larger heap`,
    );
  }
}
