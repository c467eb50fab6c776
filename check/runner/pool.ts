/** Threads that work through a list of jobs. */
import { Worker } from "node:worker_threads";
import type { Outcome } from "./job.ts";
import type { Answer, Job } from "./worker.ts";

/** Runs all jobs on `threads` threads; resolves to their outcomes, in order. `progress`: shares done, by job. */
export function runJobs(
  jobs: readonly Omit<Job, "id">[],
  threads: number,
  progress: (shares: readonly number[]) => void,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = new Array(jobs.length);
  const shares = jobs.map(() => 0);
  let next = 0;
  let done = 0;
  return new Promise((resolve, reject) => {
    const workers = Array.from(
      { length: Math.min(threads, jobs.length) },
      () => new Worker(new URL("./worker.js", import.meta.url)),
    );
    const give = (worker: Worker): void => {
      if (next < jobs.length) worker.postMessage({ ...jobs[next], id: next++ });
      else void worker.terminate();
    };
    for (const worker of workers) {
      worker.on("error", reject);
      worker.on("message", ({ id, share, outcome, error }: Answer) => {
        shares[id] = share;
        progress(shares);
        if (error !== undefined) reject(new Error(error));
        if (outcome === undefined) return;
        outcomes[id] = outcome;
        give(worker);
        if (++done === jobs.length) resolve(outcomes);
      });
      give(worker);
    }
  });
}
