/** Heaps for the tests of audits: in full use, and what a thread that died may leave of them. */
import assert from "node:assert/strict";
import type { AuditReport, MemCache, SharedHeap } from "sharedheap";
import type { Booted } from "#src/boot.js";
import { allocMany, cacheFor, cpusOf, freeAll, settle } from "../memalloc/heaps.ts";

export const SIZE = 120;

/** A thread's layers. */
export function layersOf(heap: SharedHeap): Booted {
  return (heap as unknown as { booted: Booted }).booted;
}

export interface Scene {
  /** The thread that audits, and one whose CPU dies or is at rest. */
  readonly heap: SharedHeap;
  readonly other: SharedHeap;
  readonly system: Booted;
  readonly words: Int32Array;
  readonly pool: MemCache;
  readonly out: readonly number[];
  /** The pool's cache on this CPU, and the slab cache of its objects. */
  readonly cache: number;
  readonly slabCache: number;
}

/** Two CPUs with lists, batches, chains, a group with a parent, blocks; nothing is lost. */
export function scene(): Scene {
  const [heap, other] = cpusOf(2, { maxNames: 32 });
  const parent = heap.memcg({ name: "parent" });
  const memcg = heap.memcg({ name: "group", parent });
  const pool = heap.memCache({ name: "pool", size: SIZE, memcg });
  const others = other.memCache({ name: "pool", size: SIZE });
  const any = other.memAlloc({ name: "any" });
  freeAll(any, [...allocMany(any, 60, 200), ...allocMany(any, 3000, 5)].slice(30));
  const out = [...allocMany(pool, SIZE, 20), ...allocMany(others, SIZE, 20)];
  const passing = allocMany(others, SIZE, 150);
  freeAll(pool, passing.slice(0, 120));
  for (const p of passing.slice(120)) others.freeRcu(p);
  heap.kmalloc(50_000);
  heap.kfree(heap.kmalloc(300_000));
  settle(heap);
  const system = layersOf(heap);
  const cache = cacheFor(heap, pool, SIZE);
  const slabCache = system.kmalloc.sets.memalloc.cacheFor(SIZE + 8);
  heap.checkInvariants();
  return { heap, other, system, words: heap.i32, pool, out, cache, slabCache };
}

/**
 * Audits a heap in which something was lost: a look finds it and changes nothing, the audit mends it, and there is no more.
 * Returns what was found.
 */
export function mends({ heap, out, pool }: Scene): AuditReport {
  assert.notDeepEqual([...heap.verify(), ...heap.audit({ repair: false }).inHand], [], "nothing is lost");
  const before = heap.i32.slice();
  const seen = heap.audit({ repair: false });
  assert.deepEqual(heap.i32, before, "a look changes nothing");
  assert.equal(seen.isClean, false);
  const report = heap.audit();
  assert.deepEqual(report, seen);
  heap.checkInvariants();
  const again = heap.audit();
  assert.equal(again.isClean, true, JSON.stringify(again));
  assert.ok(again.books.out >= out.length);
  for (const p of out) pool.free(p);
  settle(heap);
  heap.checkInvariants();
  return report;
}
