/** What it costs that a thread may die in the middle, and that callers may lie: pair64 against a build without the guards. */
import { SharedHeap } from "sharedheap";
import { UNGUARDED } from "../variants/changes.ts";
import { loadChanged } from "../variants/copy.ts";
import type { pair64 } from "./pair64.ts";
import type { Contestant, Subject, Workload } from "./workload.ts";

const TARGET = 1.15;

function contestant(name: string, open: (heap: SharedHeap) => Subject): Contestant {
  return {
    name,
    target: TARGET,
    async begin() {
      // a loop for each, so that neither is compiled for the other one's objects
      const [guarded, plain] = await Promise.all(["guarded", "plain"].map(loopFor));
      const heap = SharedHeap.create();
      const unguarded = (await loadChanged(UNGUARDED)).SharedHeap.create();
      return {
        reference: plain.prepare(open(unguarded), unguarded.i32),
        subject: guarded.prepare(open(heap), heap.i32),
        end: () => heap.checkInvariants(),
      };
    },
  };
}

/** pair64, loaded once more. */
async function loopFor(which: string): Promise<typeof pair64> {
  return (await import(`./pair64.js?${which}`)).pair64;
}

export const guards: Workload = {
  name: "guards",
  what: "pair64; the reference is a build without check words and hands",
  contestants: [
    contestant("MemAlloc", (heap) => heap.memAlloc()),
    contestant("MemCache", (heap) => heap.memCache({ size: 64 })),
  ],
};
