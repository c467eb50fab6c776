/** One thread of a run. */
import { parentPort, workerData } from "node:worker_threads";
import { SharedHeap } from "sharedheap";
import { isStopped, meetAll, stop } from "../threads/control.ts";
import { ws10k } from "../workloads/replace.ts";
import { OPERATIONS_STEP } from "../workloads/workload.ts";
import { type Answer, type Job, POOL, WARM_UP_MS } from "./job.ts";
import { probe } from "./probe.ts";

/** The thread that measures. */
async function measure({ token, all, control, ms }: Job): Promise<Answer> {
  const heap = SharedHeap.attach(token);
  const pool = heap.memAlloc({ name: POOL });
  meetAll(control, all);
  const seen = await probe(heap, pool, Math.min(WARM_UP_MS, ms), ms);
  stop(control);
  heap.detach();
  return { seen };
}

/** One of the others. */
function disturb({ token, all, control }: Job): Answer {
  const heap = SharedHeap.attach(token);
  const loop = ws10k.prepare(heap.memAlloc({ name: POOL }), heap.i32);
  meetAll(control, all);
  const start = performance.now();
  let operations = 0;
  while (!isStopped(control)) {
    loop(OPERATIONS_STEP);
    operations += OPERATIONS_STEP;
    heap.poll();
  }
  const rate = operations / ((performance.now() - start) / 1000);
  heap.detach();
  return { rate };
}

const job = workerData as Job;
parentPort?.postMessage(job.thread === job.all - 1 ? await measure(job) : disturb(job));
