// What threads do to a heap that they share with another one.

import { rcuDereference } from "../../dist/index.js";

export const jobs = { takeRoot, trade, read };

/** Takes the object named "object" down, reads its first number, frees it. */
function takeRoot(heap) {
  const p = heap.roots.get("object");
  heap.roots.set("object", 0);
  const value = heap.f64[p >>> 3];
  heap.memCache({ name: "objects", size: 40 }).free(p);
  return value;
}

/**
 * Each round puts a new object into a slot of the ring and frees the one that was there, which the other thread may
 * have made. Returns how often there was no memory.
 */
export function trade(heap, { ring, rounds, seed }) {
  const cache = heap.memCache({ name: "traded", size: 24 });
  let random = seed;
  let failed = 0;
  for (let round = 0; round < rounds; round++) {
    random = (Math.imul(random, 1103515245) + 12345) | 0;
    const p = cache.alloc();
    if (p === 0) failed++;
    cache.free(Atomics.exchange(ring, (random >>> 16) % ring.length, p));
  }
  return failed;
}

/** Reads, in sections, an object that is replaced meanwhile: its second word is the complement of its first. */
function read(heap, { slot, rounds }) {
  let torn = 0;
  for (let round = 0; round < rounds; round++) {
    heap.rcu.readLock();
    const at = rcuDereference(heap, slot) >>> 2;
    if (heap.i32[at] !== ~heap.i32[at + 1]) torn++;
    heap.rcu.readUnlock();
  }
  return torn;
}
