/** Slab caches of a debug heap. Objects that a constructor made, or that readers may look at, are not poisoned. */
import { shown } from "../arena/index.ts";
import { type Kmalloc, KmemCache, type KmemCacheOptions } from "../mm/index.ts";
import type { Blocks } from "./blocks.ts";
import { ZONE_BYTES } from "./layout.ts";
import { frontOf } from "./placement.ts";

export class DebugKmemCache extends KmemCache {
  private readonly blocks: Blocks;
  private readonly id: number;
  private readonly size: number;
  private readonly front: number;
  private readonly isKept: boolean;

  constructor(
    blocks: Blocks,
    kmalloc: Kmalloc,
    cache: number,
    options: KmemCacheOptions,
    collects: readonly (() => boolean)[],
  ) {
    const front = frontOf(options.align ?? 8);
    const { ctor } = options;
    super(
      kmalloc,
      cache,
      ctor === undefined ? options : { ...options, ctor: (p) => ctor(p + front) },
      collects,
    );
    this.blocks = blocks;
    this.id = cache;
    this.size = options.size;
    this.front = front;
    this.isKept = ctor !== undefined || options.typesafeByRcu === true;
  }

  override alloc(): number {
    const start = super.alloc() || this.blocks.retry(() => super.alloc());
    return this.blocks.handOut(start, this.front, this.size, this.id, this.isKept ? "kept" : "fresh");
  }

  override free(p: number): void {
    if (!this.isOpen) this.refuseClosed();
    if (p !== 0) this.blocks.free(p, this.id, `kmem cache "${this.name}": free(${shown(p)}): `);
  }
}

/** Bytes that an object with that alignment is longer by. */
export function bytesAround(align: number): number {
  return frontOf(align) + ZONE_BYTES;
}
