/** The registry: which allocators there are, by name. A record's caches on each CPU are its own in all its generations. */
import { type Directory, Records, type Ref } from "../arena/index.ts";
import { KIND_ALLOCATOR, RECORD_DATA } from "../arena/layout.ts";
import type { PercpuAreas } from "../cpu/index.ts";
import { ALLOC_PERCPU, ALLOC_SIZE, CACHE_WORDS } from "./layout.ts";
import { ALL_CACHES_WORDS } from "./sizes.ts";

/** Sorts of records: any-size allocators have more caches. */
const ANY = 0;
const FIXED = 1;

export class Registry extends Records {
  private readonly areas: PercpuAreas;

  /** `shared`: see Records. */
  constructor(directory: Directory, areas: PercpuAreas, shared: number) {
    super(directory, KIND_ALLOCATOR, shared);
    this.areas = areas;
  }

  /**
   * Makes an allocator of that name, of `size` bytes or any size (0), or finds one that another thread made
   * meanwhile. `fill` writes the record's other words. Errors: `limit`.
   */
  make(name: string, size: number, fill: (ref: Ref) => void): Ref {
    return this.makeOf(size === 0 ? ANY : FIXED, name, (ref) => {
      this.directory.store(ref.record, RECORD_DATA + ALLOC_SIZE, size);
      fill(ref);
    });
  }

  protected sortOf(record: number): number {
    return this.directory.load(record, RECORD_DATA + ALLOC_SIZE) === 0 ? ANY : FIXED;
  }

  protected append(sort: number, name: string): number {
    this.directory.checkRoom(name);
    const percpu = this.areas.reserve(sort === ANY ? ALL_CACHES_WORDS : CACHE_WORDS);
    const record = this.directory.reserve(KIND_ALLOCATOR, name);
    this.directory.store(record, RECORD_DATA + ALLOC_PERCPU, percpu);
    return record;
  }
}
