/** Check words, and what is wrong with a pointer whose check word does not match. */
import { loadAcquire } from "#primitive";
import { type Directory, SharedHeapError, shown } from "../arena/index.ts";
import { KIND_ALLOCATOR, RECORD_DATA } from "../arena/layout.ts";
import {
  hasHeaders,
  hasOwners,
  isObjectStart,
  isOffset,
  type Pages,
  slabCacheOf,
  slabPageAt,
} from "../mm/index.ts";
import {
  ALLOC_KEY,
  CHECK_SIGN,
  HEADER_BYTES,
  HEADER_WORDS,
  OBJECT_CHECK,
  OBJECT_HOME,
  OBJECT_OWNER,
  OBJECT_TAG,
  OWNED_BYTES,
} from "./layout.ts";

/**
 * The check word of a live object: its offset, home cache and allocator in one word. The low bits of
 * a misaligned offset make it another word. (alloc and free have this formula written out.)
 */
export function checkWord(p: number, home: number, key: number): number {
  return (p ^ home ^ key) | CHECK_SIGN;
}

/** The TAG of the owned object whose payload is at `p`. */
export function tagOf(p: number, key: number): number {
  return (p ^ key) | CHECK_SIGN;
}

/** The key of an allocator whose caches lie at `percpu`: another one in each generation, spread over 30 bits, negative. */
export function keyOf(percpu: number, generation: number): number {
  return (Math.imul((generation << 18) + percpu + 1, 0x9e3779b1) >>> 2) | CHECK_SIGN;
}

/** The offset of the payload of the object at `node`. */
export function payloadOf(node: number): number {
  return ((node + HEADER_WORDS) << 2) >>> 0;
}

/**
 * The error for a free of `p` whose check word is not that of a live object of the allocator
 * `name`. Reads only; looks at nothing outside the heap.
 */
export function wrongFree(pages: Pages, directory: Directory, name: string, p: unknown): SharedHeapError {
  const what = `"${name}": free(${shown(p)})`;
  if (!isOffset(pages, p)) {
    return new SharedHeapError("bad-pointer", `${what}: not an offset of this heap, aligned to 8`);
  }
  const page = slabPageAt(pages, (p - HEADER_BYTES) >>> 2);
  const cache = page === 0 ? 0 : slabCacheOf(pages, page);
  const isHere = page !== 0 && hasHeaders(pages.words, cache);
  const isOwned = isHere && hasOwners(pages.words, cache);
  const node = (p - (isOwned ? HEADER_BYTES + OWNED_BYTES : HEADER_BYTES)) >>> 2;
  if (!isHere || !isObjectStart(pages, page, node)) {
    return new SharedHeapError("bad-pointer", `${what}: no object starts there; did it come from kmalloc?`);
  }
  if (isFree(pages, node, isOwned))
    return new SharedHeapError("double-free", `${what}: the object has been freed already`);
  const owner = allocatorOf(pages, directory, p, node, isOwned);
  return owner === ""
    ? new SharedHeapError(
        "bad-pointer",
        `${what}: its header is none; was it overwritten from the object before?`,
      )
    : new SharedHeapError("wrong-cache", `${what}: the object belongs to "${owner}"; free it there`);
}

function isFree({ words }: Pages, node: number, isOwned: boolean): boolean {
  return isOwned
    ? loadAcquire(words, node + OBJECT_OWNER) === 0
    : loadAcquire(words, node + OBJECT_CHECK) >= 0;
}

/** The name of the allocator that an object which is out belongs to, or "". */
function allocatorOf(
  { words }: Pages,
  directory: Directory,
  p: number,
  node: number,
  isOwned: boolean,
): string {
  const home = loadAcquire(words, node + OBJECT_HOME);
  const mark = loadAcquire(words, node + (isOwned ? OBJECT_TAG : OBJECT_CHECK));
  for (const record of directory.ofKind(KIND_ALLOCATOR)) {
    const key = directory.load(record, RECORD_DATA + ALLOC_KEY);
    if ((isOwned ? tagOf(p, key) : checkWord(p, home, key)) === mark) return directory.nameOf(record);
  }
  return "";
}
