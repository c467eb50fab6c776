/**
 * One go: some objects are allocated one after the other, then all are freed. A declared context is left only after
 * that, and no refill from slab runs inside: there the stock must last for the whole go.
 */
import type { MemAlloc, SharedHeap } from "sharedheap";
import { BUCKETS, type Bucket, entry, MOST_OBJECTS, type Subject } from "./subjects.ts";

/** Makes a go with that bucket's objects. Returns how many allocations were NULL. */
export type Go = (bucket: Bucket) => number;

/** What a subject does. Made once per process, so that the allocator is a constant to the compiler. */
export function goOf(heap: SharedHeap, { context, isReserved }: Subject): Go {
  const pool = heap.memAlloc();
  if (isReserved) reserveAll(pool);
  const words = heap.i32;
  const objects = new Int32Array(MOST_OBJECTS);
  const enter = entry(heap, context);
  let size = 0;
  let count = 0;
  const go = () => {
    let nulls = 0;
    for (let i = 0; i < count; i++) {
      const p = pool.alloc(size);
      if (p === 0) nulls++;
      else words[p >>> 2] = i;
      objects[i] = p;
    }
    for (let i = 0; i < count; i++) pool.free(objects[i]);
    return nulls;
  };
  return (bucket) => {
    size = bucket.payload;
    count = bucket.objects;
    return enter(go);
  };
}

/** From here on stock lasts for a go in each bucket: what is freed in one is there for the next. */
function reserveAll(pool: MemAlloc): void {
  for (const { payload, objects } of BUCKETS) {
    if (pool.reserve(payload, objects) < objects)
      throw new Error(`no memory for ${objects} of ${payload} bytes`);
  }
}
