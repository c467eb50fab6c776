/** A group of worker threads that succeed or fail together. */
import { Worker } from "node:worker_threads";
import { messageOf, runError } from "./exit.ts";

/**
 * Starts `module` once per job, and resolves to what each worker posted once all have exited. The first one
 * that dies, by an error or by exiting without an answer, stops all others and rejects with one line.
 */
export async function runCrew<Job, Answer>(module: URL, jobs: readonly Job[]): Promise<Answer[]> {
  const workers: Worker[] = [];
  try {
    for (const workerData of jobs) workers.push(new Worker(module, { workerData }));
    return await Promise.all(workers.map((worker, index) => answerOf<Answer>(worker, index)));
  } catch (error) {
    await Promise.all(workers.map((worker) => worker.terminate()));
    throw error;
  }
}

function answerOf<Answer>(worker: Worker, index: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const answers: Answer[] = [];
    worker.on("message", (answer: Answer) => answers.push(answer));
    worker.on("error", (error) => reject(runError(`worker ${index} died: ${messageOf(error)}`)));
    worker.on("exit", (code) => {
      const [answer] = answers;
      if (answer === undefined) reject(runError(`worker ${index} died: it exited with code ${code}`));
      else resolve(answer);
    });
  });
}
