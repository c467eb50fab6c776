/**
 * What accounting costs: the same loop on an allocator that is in a group and, as the reference, on one that is in none;
 * where objects come from stock, and where each comes from slab and goes back there.
 */
import { type MemCache, SharedHeap } from "sharedheap";
import { pair64 } from "./pair64.ts";
import type { Contestant, Loop, Workload } from "./workload.ts";

const SIZE = 64;
/** Objects that are out at once: some refills' worth. */
const BURST = 200;

/** Refills bring the objects, and rawFree takes each of them back to slab. */
function refillLoop(pool: MemCache): Loop {
  const objects = new Int32Array(BURST);
  return (operations) => {
    for (let done = 0; done < operations; done += BURST) {
      for (let i = 0; i < BURST; i++) objects[i] = pool.alloc();
      for (let i = 0; i < BURST; i++) pool.rawFree(objects[i]);
    }
  };
}

function contestant(
  name: string,
  target: number,
  loopOf: (pool: MemCache, words: Int32Array) => Loop,
): Contestant {
  return {
    name,
    target,
    begin() {
      const plain = SharedHeap.create();
      const heap = SharedHeap.create();
      const group = heap.memcg({ name: "outer", max: 2 ** 24 });
      const memcg = heap.memcg({ name: "inner", max: 2 ** 23, parent: group });
      return {
        reference: loopOf(plain.memCache({ size: SIZE }), plain.i32),
        subject: loopOf(heap.memCache({ size: SIZE, memcg }), heap.i32),
        end() {
          heap.checkInvariants();
          plain.checkInvariants();
        },
      };
    },
  };
}

export const memcg: Workload = {
  name: "memcg",
  what: "a MemCache in a group, two deep; the reference is in none",
  contestants: [
    contestant("stock", 1.05, (pool, words) => pair64.prepare(pool, words)),
    contestant("refill", 1.2, refillLoop),
  ],
};
