/**
 * One process measures one subject in all buckets. Arguments: the subject's number, rounds. Answers with a
 * `Measured` for each bucket.
 */
import { argv } from "node:process";
import { SharedHeap } from "sharedheap";
import { measure, type Sample } from "../measure.ts";
import { referenceLoop } from "../reference.ts";
import type { Loop } from "../workloads/workload.ts";
import { type Go, goOf } from "./go.ts";
import { BUCKETS, type Bucket, SUBJECTS } from "./subjects.ts";

/** A subject in a bucket. The counts are of all that was allocated, warm-up included. */
export interface Measured {
  readonly samples: readonly Sample[];
  readonly allocations: number;
  readonly nulls: number;
}

const [subject = "", rounds = "1"] = argv.slice(2);
const heap = SharedHeap.create();
const go = goOf(heap, SUBJECTS[Number(subject)]);
const reference = referenceLoop();
const measured = BUCKETS.map((bucket) => measureBucket(go, bucket));
// a write through a NULL would be in the heap's header
heap.checkInvariants();
process.send?.(measured);

function measureBucket(go: Go, bucket: Bucket): Measured {
  let allocations = 0;
  let nulls = 0;
  const loop: Loop = (operations) => {
    for (let done = 0; done < operations; done += bucket.objects) {
      allocations += bucket.objects;
      nulls += go(bucket);
    }
  };
  const samples = measure(reference, loop, Number(rounds));
  return { samples, allocations, nulls };
}
