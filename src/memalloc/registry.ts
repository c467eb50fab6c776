/** The registry: which allocators there are, by name. A record's caches on each CPU are its own in all its generations. */
import { cmpxchg } from "#primitive";
import { type Directory, Records, type Ref } from "../arena/index.ts";
import { KIND_ALLOCATOR, RECORD_DATA } from "../arena/layout.ts";
import type { PercpuAreas } from "../cpu/index.ts";
import {
  ALLOC_OPEN,
  ALLOC_PERCPU,
  ALLOC_SIZE,
  CACHE_WORDS,
  OPEN_FOR_OTHERS,
  OPEN_REFUSED,
} from "./layout.ts";
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
      this.directory.store(ref.record, RECORD_DATA + ALLOC_OPEN, 0);
      fill(ref);
    });
  }

  /** Who has found it, and pinned it, opens it. False: its maker refuses it, and it is ended. */
  join(ref: Ref): boolean {
    // pairs with the CAS in refuse: one of the two comes first, for good
    const before = cmpxchg(this.words, ref.record + RECORD_DATA + ALLOC_OPEN, 0, OPEN_FOR_OTHERS);
    if (before !== OPEN_REFUSED) return true;
    // so that who looks for the name again does not depend on the maker
    this.drain(ref);
    return false;
  }

  /** Its maker, which has it pinned, got no objects for it: it is ended. False: others have opened it, so it stays. */
  refuse(ref: Ref): boolean {
    // pairs with the CAS in join
    if (cmpxchg(this.words, ref.record + RECORD_DATA + ALLOC_OPEN, 0, OPEN_REFUSED) !== 0) return false;
    this.drain(ref);
    return true;
  }

  protected sortOf(record: number): number {
    return this.directory.load(record, RECORD_DATA + ALLOC_SIZE) === 0 ? ANY : FIXED;
  }

  protected append(sort: number, name: string): number {
    this.directory.checkRoom(name);
    const percpu = this.areas.reserve(sort === ANY ? ALL_CACHES_WORDS : CACHE_WORDS);
    const record = this.directory.reserve(KIND_ALLOCATOR, name);
    this.directory.store(record, RECORD_DATA + ALLOC_PERCPU, percpu);
    // of its sort from the start: should this thread die before it knows the size, the record is used again
    this.directory.store(record, RECORD_DATA + ALLOC_SIZE, sort === ANY ? 0 : 1);
    return record;
  }
}
