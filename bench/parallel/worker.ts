/** One thread of a run. */
import { hrtime } from "node:process";
import { parentPort, workerData } from "node:worker_threads";
import { meetAll } from "../threads/control.ts";
import { type Answer, type Job, type Part, ROUNDS, warmUpMs } from "./job.ts";
import { makeNamed, openPlace } from "./subjects.ts";
import { type Activity, aloneActivity, PARALLEL, SCALED } from "./workloads.ts";

/** All threads begin their time with the first one that does, and stop at the same moment. */
function round({ control, threads, begun }: Job, activity: Activity, number: number, ms: number): Part {
  meetAll(control, threads);
  Atomics.compareExchange(begun, number, 0n, hrtime.bigint());
  const start = Atomics.load(begun, number);
  const deadline = start + BigInt(Math.round(ms * 1e6));
  const operations = activity.run(() => hrtime.bigint() >= deadline);
  return { operations, took: Number(hrtime.bigint() - start) };
}

function beginJob(job: Job): { activity: Activity; close(): void } {
  const workload = [...PARALLEL, ...SCALED].find(({ name }) => name === job.workload);
  if (workload === undefined) throw new Error(`${job.workload}?`);
  const make = makeNamed(job.subject);
  if (make !== undefined && workload.alone !== undefined)
    return { activity: aloneActivity(workload.alone.prepareGarbage(make), () => {}), close() {} };
  const { place, close } = openPlace(job, workload.size);
  return { activity: workload.begin(place), close };
}

function work(job: Job): Part[] {
  const { activity, close } = beginJob(job);
  const { ms } = job;
  round(job, activity, 0, warmUpMs(job));
  const parts = Array.from({ length: ROUNDS }, (_, i) => round(job, activity, 1 + i, ms));
  // nobody frees before all have stopped
  meetAll(job.control, job.threads);
  activity.end();
  close();
  return parts;
}

parentPort?.postMessage({ parts: work(workerData as Job) } satisfies Answer);
