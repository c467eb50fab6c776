/** The any-size allocator of a debug heap: what it hands out and takes is the program's part of its objects. */
import { ZERO_SIZE_PTR } from "../arena/layout.ts";
import { type Destroyed, MemAlloc, type Opened } from "../memalloc/index.ts";
import { MAX_PAYLOAD } from "../memalloc/layout.ts";
import { GFP_ZERO } from "../mm/index.ts";
import { HOW_HOME, HOW_RAW } from "./layout.ts";
import type { Pools } from "./pools.ts";

export class DebugMemAlloc extends MemAlloc {
  private readonly pools: Pools;
  private readonly id: number;

  constructor(pools: Pools, opened: Opened, table: Int32Array, areaWords: number) {
    super(opened, table, areaWords);
    this.pools = pools;
    this.id = opened.key;
  }

  override alloc(size: number): number {
    const by = this.pools.caller();
    let start = super.alloc(size);
    if (start === 0 && size <= MAX_PAYLOAD) start = this.pools.retry(() => super.alloc(size));
    return this.pools.handOut(start, size, this.id, by);
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

  override allocFlags(size: number, flags: number): number {
    const p = super.allocFlags(size, flags);
    if ((flags & GFP_ZERO) !== 0) this.pools.zeroed(p, size);
    return p;
  }

  override destroy(): Promise<Destroyed> {
    return this.pools.destroy(super.destroy());
  }

  protected override allocFromSlab(size: number): number {
    const by = this.pools.caller();
    return this.pools.handOut(super.allocFromSlab(size), size, this.id, by);
  }

  private checkOpen(p: number): void {
    if (!this.isOpen && p !== 0 && p !== ZERO_SIZE_PTR) this.refuseClosed();
  }
}
