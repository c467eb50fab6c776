/** What an allocator is: as its record says, and as it is asked for. */
import { type Ref, SharedHeapError } from "../arena/index.ts";

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
  readonly isPercpu: boolean;
  readonly memcg: Ref | undefined;
}

/** Throws `mismatch` unless the allocator is as it was asked for; `dtor`: the record of the destructor wanted, or 0. */
export function checkSame(allocator: Allocator, wanted: Wanted, dtor: number): void {
  const { size, isPercpu, memcg } = wanted;
  const isSameSize = allocator.size === size && allocator.isPercpu === isPercpu;
  const isOfGroup = memcg === undefined || allocator.memcg === memcg.record;
  if (isSameSize && allocator.dtor === dtor && isOfGroup) return;
  let what = allocator.dtor === dtor ? "another group" : "another destructor";
  if (!isSameSize) what = `${sizeName(allocator.size, allocator.isPercpu)}, not ${sizeName(size, isPercpu)}`;
  throw new SharedHeapError(
    "mismatch",
    `allocator "${allocator.name}" exists with ${what}: open it as it was made`,
  );
}

function sizeName(size: number, isPercpu: boolean): string {
  return size === 0 ? "any size" : `objects of ${size} bytes${isPercpu ? " on each CPU" : ""}`;
}
