/** A thread that is ended at some moment, whatever it is doing. */
import { setImmediate as turn } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { loadLibrary } from "../rcu/library.ts";
import type { Job } from "./job.ts";
import { Member } from "./member.ts";

async function main(job: Job): Promise<void> {
  const library = await loadLibrary(job.library);
  parentPort?.postMessage("begins");
  const member = new Member(library, job, "victim", { turn, onCall: () => {}, stays: false });
  parentPort?.postMessage("attached");
  for (;;) {
    await member.act();
    if (member.random(4) === 0) await turn();
  }
}

await main(workerData);
