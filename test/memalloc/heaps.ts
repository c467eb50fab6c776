/** Heaps with several CPUs on this one thread, and what the tests of the allocator want to know about them. */
import assert from "node:assert/strict";
import { type CreateOptions, SharedHeap, SharedHeapError, type SharedHeapErrorCode } from "sharedheap";
import { FREE_LIST, HAND, OBJECT_CHECK, OBJECT_HOME, SPARE } from "#src/memalloc/layout.js";

export const MIB = 2 ** 20;

/** What allocators have in common; `size` is for those of any size. */
export interface Pool {
  alloc(size: number): number;
  free(p: number): void;
}

/** A heap's creator and `count` - 1 more CPUs of it, all driven by this thread, by calls alone. */
export function cpusOf(count: number, options: CreateOptions = {}): SharedHeap[] {
  const first = SharedHeap.create({ bytes: 4 * MIB, maxCpus: count, turns: false, ...options });
  return [
    first,
    ...Array.from({ length: count - 1 }, () => SharedHeap.attach(first.token, { turns: false })),
  ];
}

/** A heap with one CPU. */
export function oneCpu(options: CreateOptions = {}): SharedHeap {
  return SharedHeap.create({ bytes: 4 * MIB, maxCpus: 1, turns: false, ...options });
}

/** Asserts that `call` throws a SharedHeapError of that code; returns its message. */
export function throwsCode(code: SharedHeapErrorCode, call: () => unknown, what = ""): string {
  let message = "";
  assert.throws(call, (error: unknown) => {
    assert.ok(error instanceof SharedHeapError, `${what}: ${String(error)}`);
    assert.equal(error.code, code, `${what}: ${error.message}`);
    message = error.message;
    return true;
  });
  return message;
}

/** Asserts that `call` leaves every word of the heap as it was. */
export function changesNothing<T>(heap: SharedHeap, call: () => T, what = ""): T {
  const now = Buffer.from(heap.u8.buffer, heap.u8.byteOffset, heap.u8.length);
  const before = Buffer.from(now);
  const result = call();
  if (!before.equals(now)) {
    const at = now.findIndex((byte, i) => byte !== before[i]) >>> 2;
    assert.fail(`${what}: word ${at} was ${before.readInt32LE(at * 4)}, is ${now.readInt32LE(at * 4)}`);
  }
  return result;
}

/** Asserts that `call` is refused with that code and changes nothing. */
export function refuses(heap: SharedHeap, code: SharedHeapErrorCode, call: () => unknown, what = ""): string {
  return changesNothing(heap, () => throwsCode(code, call, what), what);
}

export function booksOf(heap: SharedHeap, name: string) {
  const books = heap.stats().allocators.find((allocator) => allocator.name === name);
  assert.ok(books, `no allocator "${name}"`);
  return { ...books, out: books.taken - books.listed };
}

/** Objects that slab says are in use, over all its caches. */
export function usedObjects(heap: SharedHeap): number {
  return heap.stats().slabs.reduce((sum, slab) => sum + slab.used, 0);
}

/** The address of the cache that the object at `p` was allocated from. */
export function homeOf(heap: SharedHeap, p: number): number {
  return heap.i32[nodeOf(p) + OBJECT_HOME];
}

/** The address of the object whose payload is at `p`. */
export function nodeOf(p: number): number {
  return (p - 8) / 4;
}

/** Objects that a cache has ready: on its free list and its spare. */
export function stockOf(heap: SharedHeap, cache: number): number {
  return depthOf(heap, cache + FREE_LIST) + depthOf(heap, cache + SPARE);
}

function depthOf(heap: SharedHeap, list: number): number {
  const node = heap.i32[list];
  return node === 0 ? 0 : heap.i32[node + OBJECT_CHECK];
}

export function setHand(heap: SharedHeap, cache: number, hand: number): void {
  heap.i32[cache + HAND] = hand;
}

export function allocMany(pool: Pool, size: number, count: number): number[] {
  return Array.from({ length: count }, () => pool.alloc(size));
}

export function freeAll(pool: Pool, objects: readonly number[]): void {
  for (const p of objects) pool.free(p);
}

/** Polls until nothing is on its way through grace periods that nobody is in the way of. */
export function settle(heap: SharedHeap): void {
  for (let i = 0; i < 20; i++) heap.poll();
}

/** Allocates until NULL. */
export function exhaust(pool: Pool, size: number): number[] {
  const objects = [];
  for (let p = pool.alloc(size); p !== 0; p = pool.alloc(size)) objects.push(p);
  return objects;
}

/** The address of the cache that serves `size` on the CPU of `pool`. */
export function cacheFor(heap: SharedHeap, pool: Pool, size: number): number {
  const p = pool.alloc(size);
  assert.notEqual(p, 0);
  const cache = homeOf(heap, p);
  pool.free(p);
  return cache;
}
