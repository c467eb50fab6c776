/** Opening allocators: by name, the same one on every thread. */
import { peek } from "#primitive";
import { checkName, type Directory, inRange, SharedHeapError } from "../arena/index.ts";
import { KIND_ALLOCATOR, RECORD_DATA } from "../arena/layout.ts";
import type { PercpuAreas } from "../cpu/index.ts";
import { isOffset, type Kmalloc } from "../mm/index.ts";
import type { Caches } from "./cache.ts";
import { checkWord, keyOf, wrongFree } from "./header.ts";
import {
  ALLOC_KEY,
  ALLOC_PERCPU,
  ALLOC_SIZE,
  CACHE_WORDS,
  HEADER_BYTES,
  MAX_FIXED_PAYLOAD,
  OBJECT_CHECK,
  OBJECT_HOME,
} from "./layout.ts";
import { MemAlloc, type Opened } from "./mem-alloc.ts";
import { MemCache } from "./mem-cache.ts";
import { ALL_CACHES_WORDS, cacheTable, UNIT_SIZES, type Watermarks } from "./sizes.ts";

/** An allocator of the heap, whether this thread has it open or not. */
export interface Allocator {
  readonly name: string;
  /** Payload bytes, or 0 for any size. */
  readonly size: number;
  /** Offset of its first cache in each CPU's area. */
  readonly percpu: number;
  readonly key: number;
  /** Unit sizes of its caches, in bytes, in the order in which they lie. */
  readonly unitSizes: readonly number[];
}

export class Allocators {
  private readonly directory: Directory;
  private readonly areas: PercpuAreas;
  private readonly kmalloc: Kmalloc;
  private readonly caches: Caches;
  private readonly watermarks: (unitBytes: number) => Watermarks;

  /** `watermarks` is the same on every thread of a heap. */
  constructor(
    directory: Directory,
    areas: PercpuAreas,
    kmalloc: Kmalloc,
    caches: Caches,
    watermarks: (unitBytes: number) => Watermarks,
  ) {
    this.directory = directory;
    this.areas = areas;
    this.kmalloc = kmalloc;
    this.caches = caches;
    this.watermarks = watermarks;
  }

  /**
   * Opens the any-size allocator of that name on this CPU, or makes it. Errors: `limit`, `mismatch`,
   * and `out-of-memory` if it is new and its first objects cannot be had, unless `evenEmpty`. One that
   * is there already can be opened in a full heap too: how else to free what it gave out.
   */
  openMemAlloc(name: string, evenEmpty: boolean): MemAlloc {
    const isNew = this.directory.find(KIND_ALLOCATOR, checkName(name)) === 0;
    const allocator = this.findOrMake(name, 0);
    if (!this.openCaches(allocator) && isNew && !evenEmpty) this.refuseEmpty(allocator);
    const table = cacheTable(this.caches.cpu.area + allocator.percpu);
    return new MemAlloc(this.opened(allocator), table, this.areas.areaWords);
  }

  /** The same for a fixed-size allocator of `size` bytes, 1 to 8184. */
  openMemCache(name: string, size: number): MemCache {
    const isNew = this.directory.find(KIND_ALLOCATOR, checkName(name)) === 0;
    const allocator = this.findOrMake(name, inRange("size", size, 1, MAX_FIXED_PAYLOAD));
    if (!this.openCaches(allocator) && isNew) this.refuseEmpty(allocator);
    const cache = this.caches.cpu.area + allocator.percpu;
    return new MemCache(this.opened(allocator), size, cache, this.watermarks(allocator.unitSizes[0]));
  }

  /** Throws unless `p` is a live object of the allocator of that name. For threads that do not have it open. */
  checkLive(name: string, p: unknown): void {
    if (!this.isLive(name, p)) throw wrongFree(this.caches.pages, this.directory, name, p);
  }

  /** True if `p` is a live object of the allocator of that name. */
  isLive(name: string, p: unknown): boolean {
    const record = this.directory.find(KIND_ALLOCATOR, name);
    const { pages } = this.caches;
    if (record === 0 || !isOffset(pages, p)) return false;
    const node = (p - HEADER_BYTES) >>> 2;
    const home = peek(pages.words, node + OBJECT_HOME);
    const key = this.directory.load(record, RECORD_DATA + ALLOC_KEY);
    return peek(pages.words, node + OBJECT_CHECK) === checkWord(p, home, key);
  }

  /** Out of memory: see Caches.reclaim. Task context. */
  reclaim(): void {
    this.caches.reclaim();
  }

  /** All allocators of the heap. */
  list(): Allocator[] {
    return this.directory.ofKind(KIND_ALLOCATOR).map((record) => this.describe(record));
  }

  /** Gives up this CPU's caches of an allocator. Task context; the CPU is dying. */
  closeCaches(name: string): void {
    const record = this.directory.find(KIND_ALLOCATOR, name);
    if (record === 0) return;
    for (const cache of this.cachesOn(this.caches.cpu.id, this.describe(record))) this.caches.close(cache);
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

  private opened(allocator: Allocator): Opened {
    return { name: allocator.name, caches: this.caches, directory: this.directory, key: allocator.key };
  }

  private findOrMake(name: string, size: number): Allocator {
    const record = this.directory.find(KIND_ALLOCATOR, name) || this.make(name, size);
    const allocator = this.describe(record);
    if (allocator.size === size) return allocator;
    throw new SharedHeapError(
      "mismatch",
      `allocator "${name}" exists with ${sizeName(allocator.size)}, not ${sizeName(size)}: open it as it was made`,
    );
  }

  private make(name: string, size: number): number {
    this.directory.checkRoom(name);
    const percpu = this.areas.reserve(size === 0 ? ALL_CACHES_WORDS : CACHE_WORDS);
    const record = this.directory.reserve(KIND_ALLOCATOR, name);
    this.directory.store(record, RECORD_DATA + ALLOC_SIZE, size);
    this.directory.store(record, RECORD_DATA + ALLOC_PERCPU, percpu);
    // no two allocators have the same caches, so none have the same key
    this.directory.store(record, RECORD_DATA + ALLOC_KEY, keyOf(percpu));
    return this.directory.publish(record);
  }

  private describe(record: number): Allocator {
    const size = this.directory.load(record, RECORD_DATA + ALLOC_SIZE);
    return {
      name: this.directory.nameOf(record),
      size,
      percpu: this.directory.load(record, RECORD_DATA + ALLOC_PERCPU),
      key: this.directory.load(record, RECORD_DATA + ALLOC_KEY),
      unitSizes: size === 0 ? UNIT_SIZES : [Math.ceil((size + HEADER_BYTES) / 8) * 8],
    };
  }

  /** False if the first objects of some cache could not be had; all are open then too. */
  private openCaches(allocator: Allocator): boolean {
    let filled = true;
    this.cachesOn(this.caches.cpu.id, allocator).forEach((cache, i) => {
      const unitBytes = allocator.unitSizes[i];
      const slabCache = this.kmalloc.cacheFor(unitBytes);
      const config = { unitBytes, slabCache, watermarks: this.watermarks(unitBytes), key: allocator.key };
      if (!this.caches.open(cache, config)) filled = false;
    });
    return filled;
  }

  private refuseEmpty(allocator: Allocator): never {
    this.closeCaches(allocator.name);
    throw new SharedHeapError(
      "out-of-memory",
      `allocator "${allocator.name}": no memory for its first objects; free some, or make a larger heap`,
    );
  }
}

function sizeName(size: number): string {
  return size === 0 ? "any size" : `objects of ${size} bytes`;
}
