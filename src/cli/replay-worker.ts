/** The thread of one replay worker: attaches to the heap, replays its part, detaches, answers its tally. */
import { parentPort, workerData } from "node:worker_threads";
import { SharedHeap } from "../index.ts";
import type { AllocatorName } from "./arguments.ts";
import { meet } from "./barrier.ts";
import { markTime, PROGRESS_STEP, stepProgress } from "./control.ts";
import { demandMeter } from "./demand.ts";
import { HandOver } from "./hand-over.ts";
import type { ReplayDone, ReplayJob } from "./replay-job.ts";
import { type Allocator, Replayer } from "./replayer.ts";
import { unitBytes } from "./unit-bytes.ts";

function allocatorOf(heap: SharedHeap, alloc: AllocatorName): Allocator {
  const { i32, u8 } = heap;
  if (alloc === "kmalloc") {
    return { i32, u8, allocate: (size) => heap.kmalloc(size), free: (offset) => heap.kfree(offset) };
  }
  return { i32, u8, allocate: (size) => heap.malloc(size), free: (offset) => heap.free(offset) };
}

function makeReplayer(job: ReplayJob, allocator: Allocator): Replayer {
  return new Replayer({
    operations: job.operations,
    sizes: job.sizes,
    allocator,
    handOver: new HandOver(job.offsets),
    demand: demandMeter(job.control.demand, job.workers),
    unitBytes: unitBytes(job.alloc),
    onProgress: () => stepProgress(job.control, job.worker),
    progressStep: PROGRESS_STEP,
  });
}

function work(job: ReplayJob): ReplayDone {
  const heap = SharedHeap.attach(job.token, { name: `replay ${job.worker}` });
  const allocator = allocatorOf(heap, job.alloc);
  // The first allocation opens the allocator on this thread: that is part of attaching, not of the replay.
  allocator.free(allocator.allocate(1));
  const replayer = makeReplayer(job, allocator);
  meet(job.control.barrier, job.workers);
  markTime(job.control, job.worker, 0);
  for (let round = 0; round < job.repeat; round++) {
    replayer.round();
    markTime(job.control, job.worker, 1);
    // Nobody leaves, or begins again, while objects of this round are still out.
    meet(job.control.barrier, job.workers);
  }
  heap.detach();
  return { tally: replayer.tally };
}

parentPort?.postMessage(work(workerData as ReplayJob));
