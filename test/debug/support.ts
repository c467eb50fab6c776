/** Debug heaps on this one thread, and what their reports are to say. */
import assert from "node:assert/strict";
import { type CreateOptions, SharedHeap, SharedHeapError, type SharedHeapErrorCode } from "sharedheap";
import { AROUND_BYTES, FRONT_BYTES, PAGE_FRONT_BYTES } from "#src/debug/layout.js";

export const MIB = 2 ** 20;

/** A debug heap's creator and `count` - 1 more CPUs of it, all driven by this thread, by calls alone. */
export function debugCpus(count: number, options: CreateOptions = {}): SharedHeap[] {
  const given = { bytes: 4 * MIB, maxCpus: count, turns: false, debug: true, ...options };
  const first = SharedHeap.create({ name: "first", ...given });
  const names = ["second", "third", "fourth"];
  return [
    first,
    ...names.slice(0, count - 1).map((name) => SharedHeap.attach(first.token, { name, turns: false })),
  ];
}

export function debugHeap(options: CreateOptions = {}): SharedHeap {
  return debugCpus(1, options)[0];
}

/** "file.ts:line" of the call of this function: what a report says of a library call in the same line. */
export function here(): string {
  const frame = new Error().stack?.split("\n")[2] ?? "";
  const place = /([\w.-]+:\d+):\d+\)?$/.exec(frame)?.[1];
  assert.ok(place, `no place in ${frame}`);
  return place;
}

/** The message of the SharedHeapError that `call` throws, which has that code. */
export function reportOf(code: SharedHeapErrorCode, call: () => unknown): string {
  try {
    call();
  } catch (error) {
    assert.ok(error instanceof SharedHeapError, String(error));
    assert.equal(error.code, code, error.message);
    return error.message;
  }
  return assert.fail(`nothing was thrown, ${code} was expected`);
}

/** Asserts that a report has all these parts. */
export function says(report: string, ...parts: (string | RegExp)[]): void {
  for (const part of parts) {
    const isThere = typeof part === "string" ? report.includes(part) : part.test(report);
    assert.ok(isThere, `${String(part)} is not in: ${report}`);
  }
}

/** Asserts that the report names the places where the object was allocated and freed. */
export function saysSites(report: string, allocated: string, freed?: string): void {
  says(report, new RegExp(`allocated at \\S*${escaped(allocated)}:\\d+ `));
  if (freed !== undefined) says(report, new RegExp(`freed at \\S*${escaped(freed)}:\\d+ `));
  else assert.ok(!report.includes("freed at"), report);
}

function escaped(text: string): string {
  return text.replaceAll(".", "\\.");
}

/** A way to allocate and free, for tests of what is the same in all. */
export interface Way {
  readonly name: string;
  /** What reports call the pool. */
  readonly pool: string;
  readonly alloc: (size: number) => number;
  readonly free: (p: number) => void;
}

/** All ways that debug mode covers, for objects of `size` bytes. */
export function waysOf(heap: SharedHeap, size: number): Way[] {
  const any = heap.memAlloc({ name: "any" });
  const fixed = heap.memCache({ name: "fixed", size });
  const own = heap.kmemCache({ name: "own", size: Math.max(size, 8) });
  return [
    // bound, so that the call's place is the test's
    { name: "memAlloc", pool: '"any"', alloc: any.alloc.bind(any), free: any.free.bind(any) },
    { name: "rawFree", pool: '"any"', alloc: any.alloc.bind(any), free: any.rawFree.bind(any) },
    { name: "memCache", pool: '"fixed"', alloc: fixed.alloc.bind(fixed), free: fixed.free.bind(fixed) },
    { name: "kmalloc", pool: "kmalloc", alloc: heap.kmalloc.bind(heap), free: heap.kfree.bind(heap) },
    {
      name: "nolock",
      pool: "kmalloc",
      alloc: heap.kmallocNolock.bind(heap),
      free: heap.kfreeNolock.bind(heap),
    },
    { name: "malloc", pool: '"malloc"', alloc: heap.malloc.bind(heap), free: heap.free.bind(heap) },
    { name: "kmemCache", pool: '"own"', alloc: own.alloc.bind(own), free: own.free.bind(own) },
  ];
}

/** Bytes of a heap that an object of the allocators takes up beside its own. */
export const AROUND = AROUND_BYTES + 8;
export { FRONT_BYTES, PAGE_FRONT_BYTES };
