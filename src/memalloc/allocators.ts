/** Opening allocators: by name, the same one on every thread. */
import { peek } from "#primitive";
import { checkName, inRange, type Ref, SharedHeapError } from "../arena/index.ts";
import { RECORD_DATA } from "../arena/layout.ts";
import { isOffset, type Made } from "../mm/index.ts";
import { type Allocator, checkSame, flagsOf, type Wanted } from "./description.ts";
import { checkWord, keyOf, wrongFree } from "./header.ts";
import {
  ALLOC_DTOR,
  ALLOC_FLAGS,
  ALLOC_KEY,
  ALLOC_MEMCG,
  ALLOC_PERCPU,
  HEADER_BYTES,
  MAX_FIXED_PAYLOAD,
  MAX_OWNED_PAYLOAD,
  MAX_PERCPU_PAYLOAD,
  OBJECT_CHECK,
  OBJECT_HOME,
  OWNED_BYTES,
} from "./layout.ts";
import { freeLeaked, leakedObjects } from "./leaks.ts";
import { type Destroyed, Lifetimes } from "./lifetimes.ts";
import { MemAlloc, type Opened } from "./mem-alloc.ts";
import { MemCache } from "./mem-cache.ts";
import { OwnedCache } from "./owned-cache.ts";
import { cacheTable, PERCPU_WATERMARKS, type Watermarks } from "./sizes.ts";

export class Allocators extends Lifetimes {
  /**
   * Opens the any-size allocator of that name on this CPU, or makes it. Errors: `limit`, `mismatch`,
   * and `out-of-memory` if it is new and its first objects cannot be had, unless `evenEmpty`. One that
   * is there already can be opened in a full heap too: how else to free what it gave out. `memcg`: the group that is
   * charged; without it a new one has none, and one that exists is opened whatever it has. `destroyed`: that was dropped.
   */
  openMemAlloc(name: string, evenEmpty: boolean, memcg?: Ref): MemAlloc {
    const allocator = this.open(name, { size: 0, dtor: "", memcg }, evenEmpty);
    const table = cacheTable(this.caches.cpu.area + allocator.percpu);
    const opened = this.opened(allocator);
    const { areaWords } = this.areas;
    return this.parts.guard?.memAlloc(opened, table, areaWords) ?? new MemAlloc(opened, table, areaWords);
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
    const opened = this.opened(allocator);
    const isGuarded = !allocator.isPercpu && !allocator.isOwned;
    const guarded = isGuarded ? this.parts.guard?.memCache(opened, size, cache, watermarks) : undefined;
    return guarded ?? new MemCache(opened, size, cache, watermarks, allocator.isPercpu);
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
  freeLeaked(leaked: readonly number[], freeing?: (p: number) => void): void {
    freeLeaked(this.parts.kmalloc, this.list(), leaked, freeing);
  }

  /** Out of memory: see Caches.reclaim. Task context. */
  reclaim(): void {
    this.caches.reclaim();
  }

  /** Still out of memory: see Caches.askProgram. Task context. */
  askProgram(): boolean {
    return this.caches.askProgram();
  }

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

  /** The same once more has been collected, as by an alloc: in the group, if it is that which is full, or in the heap. */
  private retryOpen(allocator: Allocator): boolean {
    const { cpu } = this.caches;
    const caches = this.cachesOn(cpu.id, allocator);
    const again = () => this.openCaches(allocator);
    if (allocator.memcg !== 0) {
      if (cpu.inTask() && this.caches.atMax(caches, again)) return true;
      if (this.caches.isAtMax(caches)) return false;
    }
    this.reclaim();
    return again() || (this.askProgram() && again());
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
