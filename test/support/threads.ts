/** Real threads for the tests of what must hold when calls run at once. */
import { Worker } from "node:worker_threads";

/** Runs `module` once for each job, in a thread each; resolves to what each posted. The first error stops all. */
export async function runThreads<Answer>(module: URL, jobs: readonly object[]): Promise<Answer[]> {
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const workers = jobs.map(
    (job) => new Worker(module, { workerData: { ...job, gate, threads: jobs.length } }),
  );
  try {
    return await Promise.all(workers.map((worker) => answerOf<Answer>(worker)));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** Called by each thread before its work: returns once all are there. */
export function meet({ gate, threads }: Meeting): void {
  if (Atomics.add(gate, 0, 1) === threads - 1) Atomics.notify(gate, 0);
  for (let there = Atomics.load(gate, 0); there < threads; there = Atomics.load(gate, 0)) {
    Atomics.wait(gate, 0, there, 100);
  }
}

/** What `runThreads` adds to each job. */
export interface Meeting {
  readonly gate: Int32Array;
  readonly threads: number;
}

function answerOf<Answer>(worker: Worker): Promise<Answer> {
  return new Promise((resolve, reject) => {
    worker.on("message", resolve);
    worker.on("error", reject);
    worker.on("exit", (code) => reject(new Error(`a thread left without an answer, code ${code}`)));
  });
}
