/** One thread of a run. */
import { parentPort, workerData } from "node:worker_threads";
import { meetAll, setTimed, stop } from "./control.ts";
import { SUBJECTS } from "./elements.ts";
import { type Answer, BURST, type Job, WARM_UP_MS } from "./job.ts";
import { Place } from "./place.ts";
import { readAll } from "./reader.ts";
import { type Activity, THREADED } from "./workloads.ts";

function work(job: Job): number | undefined {
  const { control, threads } = job;
  const place = new Place(job);
  const workload = THREADED.find(({ name }) => name === job.workload);
  const subject = SUBJECTS.find(({ name }) => name === job.subject);
  if (workload === undefined || subject === undefined) throw new Error(`${job.workload} on ${job.subject}?`);
  const elements = subject.open(place, workload.isHandedOver);
  const activity = workload.begin(place, elements);

  const run = (ms: number) => {
    meetAll(control, threads);
    return rateOf(activity, ms, () => elements.turn());
  };
  run(Math.min(WARM_UP_MS, job.ms));
  meetAll(control, threads); // nobody is in the warm-up any more
  setTimed(control, true);
  const rate = run(job.ms);
  setTimed(control, false);
  meetAll(control, threads);
  stop(control);
  place.heap.detach();
  return activity.isProducer ? rate : undefined;
}

/** Operations per second of wall time. */
function rateOf(activity: Activity, ms: number, turn: () => void): number {
  const start = performance.now();
  const deadline = activity.isProducer ? start + ms : Number.POSITIVE_INFINITY;
  let operations = 0;
  while (activity.burst()) {
    operations += BURST;
    turn();
    if (performance.now() >= deadline) break;
  }
  const seconds = (performance.now() - start) / 1000;
  activity.end();
  return operations / seconds;
}

const job = workerData as Job;
const rate = job.thread < job.threads ? work(job) : readAll(job);
parentPort?.postMessage({ rate } as Answer);
