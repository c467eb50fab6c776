/**
 * What freeRcu costs over free: the same pair of calls, and all that comes after it. A chain of objects is made,
 * its grace period driven, and its objects are handed out again. The reference is pair64 on an allocator of the same kind.
 */
import { type MemAlloc, type MemCache, SharedHeap } from "sharedheap";
import { pair64 } from "./pair64.ts";
import { type Contestant, type Loop, OPERATIONS_STEP, type Workload } from "./workload.ts";

const SIZE = 64;
/** With alloc taking half of the reference's pair, freeRcu then takes 1.5 times as long as free. */
const TARGET = 1.25;

type Pool = MemAlloc | MemCache;

/** Every so many operations comes a poll, as a program's turns end now and then. */
function freeRcuLoop(heap: SharedHeap, pool: Pool, words: Int32Array): Loop {
  return (operations) => {
    for (let done = 0; done < operations; done += OPERATIONS_STEP) {
      for (let i = 0; i < OPERATIONS_STEP; i++) {
        const p = pool.alloc(SIZE);
        words[p >>> 2] = i;
        pool.freeRcu(p);
      }
      heap.poll();
    }
  };
}

function contestant(name: string, open: (heap: SharedHeap) => Pool): Contestant {
  return {
    name,
    target: TARGET,
    begin() {
      const heap = SharedHeap.create();
      const plain = SharedHeap.create();
      return {
        reference: pair64.prepare(open(plain), plain.i32),
        subject: freeRcuLoop(heap, open(heap), heap.i32),
        end() {
          heap.checkInvariants();
          plain.checkInvariants();
        },
      };
    },
  };
}

export const freeRcu: Workload = {
  name: "free-rcu",
  what: "allocate 64 bytes, freeRcu them, with polls; the reference frees them with free",
  contestants: [
    contestant("MemAlloc", (heap) => heap.memAlloc()),
    contestant("MemCache", (heap) => heap.memCache({ size: SIZE })),
  ],
};
