/**
 * About what a workload takes by itself: its loop, a look at each object that comes back, and memory that other things have
 * been in between.
 */
import type { MemAlloc, SharedHeap } from "sharedheap";
import { HEADER_WORDS } from "#src/memalloc/layout.js";
import type { Subject } from "./workloads/workload.ts";

/** More objects than any workload has free at once. */
const MOST = 2 ** 14;

/** Hands out again what it got last, whatever size is asked for: with objects of the sizes that a workload began with. */
export class Floor implements Subject {
  /** So that the look at a header is one. */
  seen = 0;
  private readonly objects: MemAlloc;
  private readonly words: Int32Array;
  private readonly stack = new Float64Array(MOST);
  private top = 0;

  constructor(heap: SharedHeap) {
    this.objects = heap.memAlloc({ name: "floor" });
    this.words = heap.i32;
  }

  alloc(size: number): number {
    return this.top > 0 ? this.stack[--this.top] : this.objects.alloc(size);
  }

  free(p: number): void {
    this.seen ^= this.words[(p >>> 2) - HEADER_WORDS];
    this.stack[this.top++] = p;
  }
}
