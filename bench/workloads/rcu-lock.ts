/** A read section with nothing in it. It is to cost little more than its two atomic stores. */
import { SharedHeap } from "sharedheap";
import type { Workload } from "./workload.ts";

const TARGET = 1.3;

export const rcuLock: Workload = {
  name: "rcu-lock",
  what: "readLock, readUnlock; the reference makes two atomic stores",
  contestants: [
    {
      name: "heap.rcu",
      target: TARGET,
      begin() {
        const heap = SharedHeap.create();
        const words = heap.i32;
        const at = heap.kmalloc(4) >>> 2;
        return {
          reference(operations) {
            for (let i = 0; i < operations; i++) {
              Atomics.store(words, at, i);
              Atomics.store(words, at, 0);
            }
          },
          subject(operations) {
            for (let i = 0; i < operations; i++) {
              heap.rcu.readLock();
              heap.rcu.readUnlock();
            }
          },
          end: () => heap.checkInvariants(),
        };
      },
    },
  ],
};
