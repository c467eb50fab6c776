/** The survivors: started, watched, told to stop. */
import { Worker } from "node:worker_threads";
import type { Job } from "./job.ts";
import { Journal } from "./journal.ts";
import type { Answer } from "./survivor.ts";

/** Threads that have not come to an end after so long never will. */
const STOP_MS = 30_000;

export class Crew {
  readonly failures: string[] = [];
  private readonly jobs: readonly Job[];
  private readonly workers: readonly Worker[];
  private readonly answers: readonly Promise<Answer | undefined>[];

  constructor(jobs: readonly Job[]) {
    this.jobs = jobs;
    this.workers = jobs.map(
      (workerData) => new Worker(new URL("./survivor.js", import.meta.url), { workerData }),
    );
    this.answers = this.workers.map((worker, i) => this.answerOf(worker, i));
  }

  /** What they have written down. */
  get journals(): Journal[] {
    return this.jobs.map(({ journal }) => new Journal(journal));
  }

  /** They have been told to stop. Returns what they say, or nothing if one of them did not come to an end. */
  async end(): Promise<Answer[]> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), STOP_MS);
    });
    const answers = await Promise.race([late, Promise.all(this.answers)]);
    clearTimeout(timer);
    if (answers === undefined) this.failures.push(`survivors have come to no end after ${STOP_MS / 1000} s`);
    await Promise.all(this.workers.map((worker) => worker.terminate()));
    return (answers ?? []).filter((answer) => answer !== undefined);
  }

  private answerOf(worker: Worker, i: number): Promise<Answer | undefined> {
    return new Promise((resolve) => {
      const fail = (what: string): void => {
        this.failures.push(`survivor ${i}: ${what}`);
        resolve(undefined);
      };
      let isDone = false;
      worker.on("message", (message: Answer | "begins") => {
        if (message === "begins") return;
        isDone = true;
        resolve(message);
      });
      worker.on("error", (error) => fail(error.stack ?? error.message));
      worker.on("exit", (code) => isDone || fail(`left with code ${code}`));
    });
  }
}
