/** The threads of a run: started, watched, told to stop. */
import { setTimeout as pause } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { ACTIVITIES } from "./activities.ts";
import type { Control } from "./control.ts";
import type { Job } from "./job.ts";

/** Threads that have not come to an end after so long never will. */
const STOP_MS = 30_000;

export class Crew {
  /** What threads found, in the order in which it became known here. */
  readonly failures: string[] = [];
  private readonly control: Control;
  private readonly workers: Worker[];
  private readonly ended: Promise<void>[];

  constructor(control: Control, seed: number, job: Pick<Job, "token" | "slots" | "library">) {
    this.control = control;
    this.workers = Array.from({ length: control.threads }, (_, thread) => {
      const workerData: Job = { ...job, thread, seed: seed + thread * 7919, control: control.words };
      return new Worker(new URL("./thread.js", import.meta.url), { workerData });
    });
    this.ended = this.workers.map((worker, thread) => this.watch(worker, thread));
  }

  /** Tells the threads to come to an end and waits until they have, or ends them if something was found. */
  async stop(): Promise<void> {
    this.control.stop();
    const late = pause(STOP_MS, true, { ref: false });
    const inTime = Promise.all(this.ended).then(() => false);
    // a heap that is broken already may keep threads for ever
    if (this.failures.length === 0 && (await Promise.race([late, inTime])) && this.failures.length === 0)
      this.failures.push(`no end after ${STOP_MS / 1000} s: ${this.state()}`);
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }

  private watch(worker: Worker, thread: number): Promise<void> {
    let isOver = false;
    return new Promise((resolve) => {
      const end = (failure?: string) => {
        if (!isOver && failure !== undefined)
          this.failures.push(`thread ${thread}, ${this.activity(thread)}: ${failure}`);
        isOver = true;
        resolve();
      };
      worker.on("message", () => end());
      worker.on("error", (error) => end(error.stack ?? error.message));
      worker.on("exit", (code) => end(`left with code ${code}`));
    });
  }

  private state(): string {
    return this.workers.map((_, thread) => `thread ${thread} is at "${this.activity(thread)}"`).join(", ");
  }

  private activity(thread: number): string {
    return ACTIVITIES[Atomics.load(this.control.words, this.control.activityWord(thread))].name;
  }
}
