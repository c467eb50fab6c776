/** The fixed-size allocator of a debug heap, as mem-alloc.ts. */
import { ZERO_SIZE_PTR } from "../arena/layout.ts";
import { type Destroyed, MemCache, type Opened, type Watermarks } from "../memalloc/index.ts";
import { GFP_ZERO } from "../mm/index.ts";
import { HOW_HOME, HOW_RAW } from "./layout.ts";
import type { Pools } from "./pools.ts";

export class DebugMemCache extends MemCache {
  private readonly pools: Pools;
  private readonly id: number;

  constructor(pools: Pools, opened: Opened, size: number, cache: number, watermarks: Watermarks) {
    super(opened, size, cache, watermarks);
    this.pools = pools;
    this.id = opened.key;
  }

  override alloc(): number {
    const by = this.pools.caller();
    const start = super.alloc() || this.pools.retry(() => super.alloc());
    return this.pools.handOut(start, this.size, this.id, by);
  }

  override free(p: number): void {
    this.checkOpen(p);
    this.pools.free(this.name, this.id, p, HOW_HOME);
  }

  override freeRcu(p: number): void {
    this.checkOpen(p);
    this.pools.freeRcu(this.name, this.id, p);
  }

  override rawFree(p: number): void {
    this.checkOpen(p);
    this.pools.free(this.name, this.id, p, HOW_RAW);
  }

  override allocFlags(flags: number): number {
    const p = super.allocFlags(flags);
    if ((flags & GFP_ZERO) !== 0) this.pools.zeroed(p, this.size);
    return p;
  }

  override destroy(): Promise<Destroyed> {
    return this.pools.destroy(super.destroy());
  }

  protected override allocFromSlab(): number {
    const by = this.pools.caller();
    return this.pools.handOut(super.allocFromSlab(), this.size, this.id, by);
  }

  private checkOpen(p: number): void {
    if (!this.isOpen && p !== 0 && p !== ZERO_SIZE_PTR) this.refuseClosed();
  }
}
