/** One thread: activities until it is told to stop. What it finds wrong it throws. */
import { setImmediate as turn } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { ACTIVITIES, chooseActivity, quiesce } from "./activities.ts";
import type { Job } from "./job.ts";
import { loadLibrary } from "./library.ts";
import { Torturer } from "./torturer.ts";

/** The heap's timers keep no thread alive; this one does, while nothing else is there to be waited for. */
const KEEP_ALIVE_MS = 1000;

async function main(job: Job): Promise<void> {
  const alive = setInterval(() => {}, KEEP_ALIVE_MS);
  const library = await loadLibrary(job.library);
  const torturer = new Torturer(library, library.SharedHeap.attach(job.token), job);
  const { control } = torturer;
  while (!control.isStopped) {
    const activity = chooseActivity(torturer.random);
    Atomics.store(control.words, control.activityWord(job.thread), activity);
    await ACTIVITIES[activity].run(torturer);
    await turn();
  }
  await quiesce(torturer);
  torturer.thief.giveBack();
  // barriers of threads that are not through yet wait for no closures of this one from here on
  torturer.closures.leave();
  torturer.access.detach();
  clearInterval(alive);
  parentPort?.postMessage("done");
}

await main(workerData);
