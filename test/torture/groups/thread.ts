/** One thread: activities until it is told to stop, rests when it is told to. What it finds wrong it throws. */
import { setImmediate as turn } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { loadLibrary } from "../rcu/library.ts";
import { ACTIVITIES, chooseActivity, FINISH } from "./activities.ts";
import type { Job } from "./job.ts";
import { Tenant } from "./tenant.ts";

/** The heap's timers keep no thread alive; this one does, while nothing else is there to be waited for. */
const KEEP_ALIVE_MS = 1000;

async function main(job: Job): Promise<void> {
  const alive = setInterval(() => {}, KEEP_ALIVE_MS);
  const tenant = new Tenant(await loadLibrary(job.library), job);
  const { control, thread, random } = tenant;
  const run = async (activity: number): Promise<void> => {
    control.noteActivity(thread, activity);
    await ACTIVITIES[activity].run(tenant);
    await turn();
  };
  while (!control.isStopped) {
    control.rest(thread);
    await run(chooseActivity(random));
  }
  await run(FINISH);
  clearInterval(alive);
  parentPort?.postMessage("done");
}

await main(workerData);
