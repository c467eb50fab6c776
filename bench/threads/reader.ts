/** A thread that looks at all elements, in one read section after the other. */
import { rcuDereference } from "sharedheap";
import { isStopped, sleep } from "./control.ts";
import { type Job, SLOTS } from "./job.ts";
import { Place } from "./place.ts";

/** Looks for each time that the reader asks whether to stop, and pauses. */
const SECTIONS = 4;

export function readAll(job: Job): void {
  const place = new Place(job);
  const { heap, control } = place;
  const slots = job.threads * SLOTS;
  const section = () => {
    heap.rcu.readLock();
    for (let slot = 0; slot < slots; slot++) {
      const p = rcuDereference(heap, job.slots + slot * 4);
      if (p !== 0 && heap.f64[p >>> 3] !== -heap.f64[(p >>> 3) + 1]) {
        throw new Error(`the element at ${p} changed under a reader`);
      }
    }
    heap.rcu.readUnlock();
  };
  while (!isStopped(control)) {
    for (let i = 0; i < SECTIONS; i++) section();
    if (job.pauseMs > 0) sleep(control, job.pauseMs);
  }
  heap.detach();
}
