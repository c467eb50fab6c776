/** The shared words through which the workers of a run and the main thread see each other. */
import { BARRIER_WORDS } from "./barrier.ts";
import { DEMAND_WORDS } from "./demand.ts";

/** All views over shared memory, so that it can be sent to a worker as it is. */
export interface Control {
  barrier: Int32Array;
  demand: BigInt64Array;
  /** By worker: when it began and when it was done, by the process's monotonic clock, in ns. */
  times: BigInt64Array;
  /** By worker, a cache line apart: the count of PROGRESS_STEP operations it has done. */
  progress: Int32Array;
}

/** Operations between two reports of progress. A power of two. */
export const PROGRESS_STEP = 1024;

const LINE_WORDS = 16;

export function makeControl(workers: number): Control {
  return {
    barrier: new Int32Array(new SharedArrayBuffer(BARRIER_WORDS * 4)),
    demand: new BigInt64Array(new SharedArrayBuffer(DEMAND_WORDS * 8)),
    times: new BigInt64Array(new SharedArrayBuffer(workers * 2 * 8)),
    progress: new Int32Array(new SharedArrayBuffer(workers * LINE_WORDS * 4)),
  };
}

/** Counts PROGRESS_STEP operations of a worker as done. */
export function stepProgress(control: Control, worker: number): void {
  Atomics.add(control.progress, worker * LINE_WORDS, 1);
}

/** Operations all workers have done, within a step each. */
export function readProgress(control: Control): number {
  let steps = 0;
  for (let i = 0; i < control.progress.length; i += LINE_WORDS) steps += Atomics.load(control.progress, i);
  return steps * PROGRESS_STEP;
}

/** Notes when a worker begins (`edge` 0) or is done (1). */
export function markTime(control: Control, worker: number, edge: 0 | 1): void {
  control.times[worker * 2 + edge] = process.hrtime.bigint();
}

/** Seconds from the first worker's start to the last one's end. */
export function elapsedSeconds(control: Control): number {
  let start = control.times[0];
  let end = control.times[1];
  for (let i = 2; i < control.times.length; i += 2) {
    if (control.times[i] < start) start = control.times[i];
    if (control.times[i + 1] > end) end = control.times[i + 1];
  }
  return Number(end - start) / 1e9;
}
