/** A thread of the scribble fuzz. Runs under the condition `check`: see run.ts. */
import { parentPort, workerData } from "node:worker_threads";
import { BUILT, loadLibrary } from "../rcu/library.ts";
import { advance, begin } from "../watched-thread.ts";
import { Examiner } from "./examiner.ts";
import { HEAPS_OF_ONE_KIND, type Job, newTally, type Tally } from "./job.ts";

async function scribbleAll(job: Job): Promise<Tally> {
  const tally = newTally();
  const examiner = new Examiner(await loadLibrary(job.watched), await loadLibrary(BUILT), tally);
  for (let i = 0; i < job.heaps && tally.failures.length < job.maxFailures; i++) {
    const seed = job.seed + i;
    if (Math.floor(seed / HEAPS_OF_ONE_KIND) % job.threads !== job.thread) continue;
    begin(job, seed);
    try {
      examiner.examine(seed);
    } catch (error) {
      tally.failures.push({
        seed,
        what: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    }
    advance(job, 1);
  }
  return tally;
}

parentPort?.postMessage(await scribbleAll(workerData as Job));
