/**
 * Makes V8 compile the fast paths, and nothing else of their names: without a `this` they fail at
 * once, and by then they are compiled.
 */
import { MemAlloc } from "#src/memalloc/mem-alloc.js";
import { MemCache } from "#src/memalloc/mem-cache.js";

const Subject = process.argv[2] === "MemCache" ? MemCache : MemAlloc;
const { alloc, free }: { alloc: unknown; free: unknown } = Subject.prototype;
for (const method of [alloc, free]) {
  try {
    Reflect.apply(method as (argument: number) => unknown, undefined, [8]);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
}
