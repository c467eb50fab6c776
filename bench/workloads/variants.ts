/** What each part of the fast paths costs: pair64 on copies of the library that leave it out, or do it otherwise. */
import type { SharedHeap } from "sharedheap";
import { referenceLoop } from "../reference.ts";
import { VARIANTS, type Variant } from "../variants/changes.ts";
import { loadChanged } from "../variants/copy.ts";
import { pair64 } from "./pair64.ts";
import type { Contestant, Subject, Workload } from "./workload.ts";

function contestant(name: string, { changes }: Variant, open: (heap: SharedHeap) => Subject): Contestant {
  return {
    name,
    target: undefined,
    async begin() {
      const heap = (await loadChanged(changes)).SharedHeap.create();
      return {
        reference: referenceLoop(),
        subject: pair64.prepare(open(heap), heap.i32),
        // without its headers a heap is not what its invariants say
        end: () => {},
      };
    },
  };
}

export const variants: Workload = {
  name: "variants",
  what: "pair64 on changed copies of the library",
  onRequest: true,
  contestants: VARIANTS.flatMap((variant) => [
    contestant(`MemAlloc, ${variant.name}`, variant, (heap) => heap.memAlloc()),
    contestant(`MemCache, ${variant.name}`, variant, (heap) => heap.memCache({ size: 64 })),
  ]),
};
