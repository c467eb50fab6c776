/** What an allocator is: as its record says, and as it is asked for. */
import { type Directory, type Ref, SharedHeapError } from "../arena/index.ts";
import { RECORD_DATA } from "../arena/layout.ts";
import type { CacheSets } from "../mm/index.ts";
import {
  ALLOC_DTOR,
  ALLOC_FLAGS,
  ALLOC_IS_OWNED,
  ALLOC_IS_PERCPU,
  ALLOC_KEY,
  ALLOC_MEMCG,
  ALLOC_PERCPU,
  ALLOC_SIZE,
  HEADER_BYTES,
  OWNED_BYTES,
} from "./layout.ts";
import { UNIT_SIZES } from "./sizes.ts";

/** An allocator of the heap, whether this thread has it open or not. */
export interface Allocator {
  readonly ref: Ref;
  readonly name: string;
  /** Payload bytes, or 0 for any size. */
  readonly size: number;
  /** Offset of its first cache in each CPU's area. */
  readonly percpu: number;
  readonly key: number;
  /** The record of its destructor, or 0. */
  readonly dtor: number;
  /** Its objects have a slot on each possible CPU. */
  readonly isPercpu: boolean;
  /** Its objects name who allocated them. */
  readonly isOwned: boolean;
  /** The record of its group, or 0. */
  readonly memcg: number;
  /** Unit sizes of its caches, in bytes, in the order in which they lie. */
  readonly unitSizes: readonly number[];
  /** Where their objects come from: the slab cache of each. */
  readonly slabCaches: readonly number[];
}

/** What an allocator is opened with. */
export interface Wanted {
  readonly size: number;
  /** The name of its destructor, or "". */
  readonly dtor: string;
  readonly isPercpu?: boolean;
  readonly isOwned?: boolean;
  readonly memcg: Ref | undefined;
}

/** The allocator that a record describes, in its present generation. `around`: what a debug heap's objects are longer by. */
export function describe(directory: Directory, sets: CacheSets, ref: Ref, around = 0): Allocator {
  const load = (field: number) => directory.load(ref.record, RECORD_DATA + field);
  const size = load(ALLOC_SIZE);
  const isPercpu = (load(ALLOC_FLAGS) & ALLOC_IS_PERCPU) !== 0;
  const isOwned = (load(ALLOC_FLAGS) & ALLOC_IS_OWNED) !== 0;
  const header = HEADER_BYTES + (isOwned ? OWNED_BYTES : 0);
  const usual = size === 0 ? UNIT_SIZES : [Math.ceil((size + header) / 8) * 8];
  const isGuarded = around !== 0 && !isPercpu && !isOwned;
  const unitSizes = isGuarded ? usual.map((unit) => unit + around) : usual;
  const ordinary = isOwned ? sets.owned : sets.memalloc;
  const sizes = isPercpu ? sets.memallocPercpu : ordinary;
  return {
    ref,
    name: directory.nameOf(ref.record),
    size,
    percpu: load(ALLOC_PERCPU),
    key: load(ALLOC_KEY),
    dtor: load(ALLOC_DTOR),
    isPercpu,
    isOwned,
    memcg: load(ALLOC_MEMCG),
    unitSizes,
    slabCaches: unitSizes.map((unit) => sizes.cacheFor(unit)),
  };
}

/** What ALLOC_FLAGS says of an allocator that is made as wanted. */
export function flagsOf({ isPercpu, isOwned }: Wanted): number {
  return (isPercpu ? ALLOC_IS_PERCPU : 0) | (isOwned ? ALLOC_IS_OWNED : 0);
}

/** Throws `mismatch` unless the allocator is as it was asked for; `dtor`: the record of the destructor wanted, or 0. */
export function checkSame(allocator: Allocator, wanted: Wanted, dtor: number): void {
  const { size, isPercpu = false, isOwned = false, memcg } = wanted;
  const isSameSort = allocator.isPercpu === isPercpu && allocator.isOwned === isOwned;
  const isSameSize = allocator.size === size && isSameSort;
  const isOfGroup = memcg === undefined || allocator.memcg === memcg.record;
  if (isSameSize && allocator.dtor === dtor && isOfGroup) return;
  let what = allocator.dtor === dtor ? "another group" : "another destructor";
  if (!isSameSize) what = `${sizeName(allocator)}, not ${sizeName({ size, isPercpu, isOwned })}`;
  throw new SharedHeapError(
    "mismatch",
    `allocator "${allocator.name}" exists with ${what}: open it as it was made`,
  );
}

type Sort = Pick<Allocator, "size" | "isPercpu" | "isOwned">;

function sizeName({ size, isPercpu, isOwned }: Sort): string {
  if (size === 0) return "any size";
  return `${isOwned ? "owned objects" : "objects"} of ${size} bytes${isPercpu ? " on each CPU" : ""}`;
}
