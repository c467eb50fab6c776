/** Slab caches of the program's own: objects of one size, with a constructor and an alignment if wanted. */
import {
  checkFunction,
  checkName,
  checkOptions,
  type Directory,
  detachedError,
  inRange,
  SharedHeapError,
  shown,
} from "../arena/index.ts";
import { KIND_KMEM_CACHE, RECORD_DATA } from "../arena/layout.ts";
import type { PercpuAreas } from "../cpu/index.ts";
import { type CacheShape, flagsOf, initCache } from "./cache-geometry.ts";
import type { Kmalloc } from "./kmalloc.ts";
import {
  CACHE_ALIGN_BYTES,
  CACHE_FLAGS,
  CACHE_SIZE_BYTES,
  FLAG_CONSTRUCTOR,
  FLAG_TYPESAFE_BY_RCU,
  KMALLOC_MAX_SLAB_BYTES,
  SLAB_CPU_WORDS,
} from "./layout.ts";
import type { Slab, SlabConstructor } from "./slab.ts";
import { isObjectStart, isOffset, slabCacheOf, slabPageOfOwn } from "./slab-lookup.ts";

export interface KmemCacheOptions {
  /** Threads that open a cache of the same name share it. */
  readonly name: string;
  /** Bytes of an object, 8 to 8192. */
  readonly size: number;
  /** A power of two from 8 to 4096; default 8. */
  readonly align?: number;
  /**
   * Called with the offset of each new object when its slab is made, by the thread that makes it.
   * A freed object keeps its contents, so it is to be freed in the state that this function leaves.
   * Give the same function on each thread: nothing shared can hold it.
   */
  readonly ctor?: (p: number) => void;
  /**
   * true: the memory of a freed object stays one of this cache's objects until every RCU read section that is
   * open has ended, and keeps its contents until it is allocated again (which may be at once). So a reader may
   * look at an object that is freed under it, if it checks afterwards that it still is the one it meant. Such
   * objects are 4 bytes longer. (The kernel's SLAB_TYPESAFE_BY_RCU.)
   */
  readonly typesafeByRcu?: boolean;
}

/** What a debug heap puts around objects, and between programs and slab caches. */
export interface KmemGuard {
  /** Bytes that an object with that alignment is longer by. */
  kmemBytes(align: number): number;
  kmemCache(
    kmalloc: Kmalloc,
    cache: number,
    options: KmemCacheOptions,
    collects: readonly (() => boolean)[],
  ): KmemCache;
}

/** A slab cache, as one thread has it open. */
export class KmemCache {
  readonly name: string;
  private readonly kmalloc: Kmalloc;
  private readonly slab: Slab;
  private cache: number;
  private readonly construct: SlabConstructor | undefined;
  private readonly collects: readonly (() => boolean)[];

  constructor(
    kmalloc: Kmalloc,
    cache: number,
    options: KmemCacheOptions,
    collects: readonly (() => boolean)[],
  ) {
    const { ctor } = options;
    this.name = options.name;
    this.kmalloc = kmalloc;
    this.slab = kmalloc.slab;
    this.cache = cache;
    this.collects = collects;
    this.construct = ctor === undefined ? undefined : (object) => ctor((object << 2) >>> 0);
  }

  /** An object, or 0: out of memory, or nested in an alloc of this cache. Any context. Errors: `detached`. */
  alloc(): number {
    if (this.cache === 0) this.refuseClosed();
    const object = this.slab.alloc(this.cache, this.construct) || this.allocReclaimed();
    return (object << 2) >>> 0;
  }

  /** Frees an object; 0 is ignored. Any context. Errors: `bad-pointer`, `wrong-cache`. `detached`. A double free is not detected. */
  free(p: number): void {
    if (this.cache === 0) this.refuseClosed();
    if (p === 0) return;
    const { pages } = this.slab;
    const page = isOffset(pages, p) ? slabPageOfOwn(pages, p >>> 2) : 0;
    if (page === 0 || !isObjectStart(pages, page, p >>> 2)) {
      throw new SharedHeapError(
        "bad-pointer",
        `kmem cache "${this.name}": free(${shown(p)}): no object starts there`,
      );
    }
    if (slabCacheOf(pages, page) !== this.cache) {
      throw new SharedHeapError(
        "wrong-cache",
        `kmem cache "${this.name}": free(${p}): the object is another cache's`,
      );
    }
    this.slab.free(this.cache, page, p >>> 2);
  }

  /** Ends the use of this object: the thread is detaching. */
  close(): void {
    this.cache = 0;
  }

  private allocReclaimed(): number {
    const object = this.kmalloc.shrink() ? this.slab.alloc(this.cache, this.construct) : 0;
    if (object !== 0) return object;
    for (const collect of this.collects) {
      const again = collect() ? this.slab.alloc(this.cache, this.construct) : 0;
      if (again !== 0) return again;
    }
    return 0;
  }

  /** False once the thread has detached. */
  protected get isOpen(): boolean {
    return this.cache !== 0;
  }

  protected refuseClosed(): never {
    throw detachedError(this.name);
  }
}

/**
 * Opens the cache of that name, or makes it. `collects`: what may bring memory back, in this order; each says
 * whether it did anything. `guard`: in debug heaps.
 * Errors: `bad-name`, `bad-option`, `limit`, `mismatch`.
 */
export function openKmemCache(
  kmalloc: Kmalloc,
  directory: Directory,
  areas: PercpuAreas,
  options: KmemCacheOptions,
  collects: readonly (() => boolean)[] = [],
  guard?: KmemGuard,
): KmemCache {
  const wanted = checkShape(options);
  const around = (align: number) => guard?.kmemBytes(align) ?? 0;
  const shape = { ...wanted, size: wanted.size + around(wanted.align) };
  let record = directory.find(KIND_KMEM_CACHE, options.name);
  if (record === 0) record = makeCache(directory, areas, options.name, shape);
  const cache = record + RECORD_DATA;
  const made = shapeOf(directory, cache);
  const same = made.size === shape.size && made.align === shape.align && flagsOf(made) === flagsOf(shape);
  if (same)
    return (
      guard?.kmemCache(kmalloc, cache, options, collects) ?? new KmemCache(kmalloc, cache, options, collects)
    );
  throw new SharedHeapError(
    "mismatch",
    `kmem cache "${options.name}" was made with size ${made.size - around(made.align)}, align ${made.align}, ` +
      `${made.hasConstructor ? "a" : "no"} ctor, typesafeByRcu ${made.isTypesafe}: open it with the same`,
  );
}

/** What a cache was made with. */
function shapeOf(directory: Directory, cache: number): CacheShape {
  const flags = directory.load(cache, CACHE_FLAGS);
  return {
    size: directory.load(cache, CACHE_SIZE_BYTES),
    align: directory.load(cache, CACHE_ALIGN_BYTES),
    hasConstructor: (flags & FLAG_CONSTRUCTOR) !== 0,
    isTypesafe: (flags & FLAG_TYPESAFE_BY_RCU) !== 0,
  };
}

function checkShape(options: KmemCacheOptions): CacheShape {
  checkOptions("kmemCache", options);
  checkName(options.name);
  const align = inRange("align", options.align ?? 8, 8, 4096);
  if ((align & (align - 1)) !== 0)
    throw new SharedHeapError("bad-option", `align is ${align}: use a power of two`);
  const size = inRange("size", options.size, 8, KMALLOC_MAX_SLAB_BYTES);
  if (options.ctor !== undefined) checkFunction("ctor", options.ctor);
  return {
    size,
    align,
    hasConstructor: options.ctor !== undefined,
    isTypesafe: options.typesafeByRcu === true,
  };
}

function makeCache(directory: Directory, areas: PercpuAreas, name: string, shape: CacheShape): number {
  directory.checkRoom(name);
  const offset = areas.reserve(SLAB_CPU_WORDS);
  const record = directory.reserve(KIND_KMEM_CACHE, name);
  initCache(directory.words, record + RECORD_DATA, shape, offset);
  return directory.publish(record);
}
