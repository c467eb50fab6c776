/** The thread that works: replaces objects at random, a round at a time, in its own group. */
import { workerData } from "node:worker_threads";
import { SharedHeap } from "sharedheap";
import { onEachRound } from "../rounds.ts";
import { DONE, GO, type Job, MAX_BYTES, NULLS, OPERATIONS, TENANTS } from "./job.ts";

const SLOTS = 1000;
const { token, control } = workerData as Job;
const heap = SharedHeap.attach(token, { turns: false });
const [name] = TENANTS;
const pool = heap.memAlloc({ name, memcg: heap.memcg({ name, max: MAX_BYTES }) });
const slots = new Float64Array(SLOTS);
let random = 1;

function work(): void {
  for (let i = 0; i < OPERATIONS; i++) {
    random = (Math.imul(random, 1103515245) + 12345) | 0;
    const at = (random >>> 8) % SLOTS;
    pool.free(slots[at]);
    slots[at] = pool.alloc(16 + ((random >>> 20) & 255));
    if (slots[at] === 0) Atomics.add(control, NULLS, 1);
  }
}

onEachRound(control, GO, () => {
  work();
  Atomics.add(control, DONE, 1);
  Atomics.notify(control, DONE);
});
heap.detach();
