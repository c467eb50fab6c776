// How the audio thread uses the allocator: all that is special about it is here.

import { SharedHeap } from "../../../dist/index.js";

/** Attaches a thread that has no event loop to come back to. Its refills are made by other threads, when they poll. */
export function attachRealTime(token, name) {
  return SharedHeap.attach(token, { name, turns: false, irqWork: "kthread" });
}

/** More objects than a thread keeps by itself. */
const MANY = 200;

/**
 * Before the music begins: has the cache refilled and trimmed, in real-time code too. A function that runs for the first
 * time is compiled then, and all of these together would take a good part of a quantum.
 */
export function warmUp(heap, cache) {
  const taken = [];
  const take = () => {
    while (taken.length < MANY && taken.at(-1) !== 0) taken.push(cache.alloc());
  };
  const free = () => {
    while (taken.length > 0) cache.free(taken.pop());
  };
  take();
  heap.context.nmi(free);
  heap.context.nmi(take);
  free();
}

/** Fills this thread's stock: from here on so many objects are had without anybody's help. */
export function stockUp(cache, objects) {
  cache.reserve(objects);
}

/**
 * Runs `fn`, which must be the same function each time, as real-time code: a call that finds the stock used up returns
 * NULL, and does not go looking for memory. When it returns, what other threads have brought is taken in.
 */
export function inRealTime(heap, fn) {
  heap.context.nmi(fn);
}
