/** The threads of a run: started, put to rest, told to stop. */
import { setTimeout as pause } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { ACTIVITIES } from "./activities.ts";
import type { Control } from "./control.ts";
import type { Job } from "./job.ts";

/** Threads that have not come to an end, or to rest, after so long never will. */
const PATIENCE_MS = 60_000;

export class Crew {
  /** What threads found, in the order in which it became known here. */
  readonly failures: string[] = [];
  private readonly control: Control;
  private readonly workers: Worker[];
  private readonly ended: Promise<void>[];
  private rests = 0;
  /** From here on threads that leave have been told to. */
  private isOver = false;
  private onFailure: () => void = () => {};

  constructor(control: Control, seed: number, job: Pick<Job, "token" | "library" | "counts">) {
    const { threads } = control;
    this.control = control;
    this.workers = Array.from({ length: threads }, (_, thread) => {
      const own = { thread, threads, seed: seed + thread * 7919, control: control.words };
      const workerData: Job = { ...job, ...own };
      return new Worker(new URL("./thread.js", import.meta.url), { workerData });
    });
    this.ended = this.workers.map((worker, thread) => this.watch(worker, thread));
  }

  /** Runs `look` while all threads rest. Not if one has found something. */
  async atRest(look: () => void): Promise<void> {
    const round = ++this.rests;
    const late = performance.now() + PATIENCE_MS;
    this.control.beginRest(round);
    while (!this.control.isAtRest(round) && this.failures.length === 0) {
      if (performance.now() > late)
        this.failures.push(`no rest after ${PATIENCE_MS / 1000} s: ${this.state()}`);
      await pause(1);
    }
    if (this.failures.length === 0) look();
    this.control.endRest();
  }

  /** Tells the threads to come to an end and waits until they have, or ends them if something was found. */
  async stop(): Promise<void> {
    this.control.stop();
    const late = pause(PATIENCE_MS, true, { ref: false });
    const inTime = Promise.all(this.ended).then(() => false);
    const failed = this.failed().then(() => false);
    // a heap that is broken already may keep threads for ever
    if (this.failures.length === 0 && (await Promise.race([late, inTime, failed])))
      this.failures.push(`no end after ${PATIENCE_MS / 1000} s: ${this.state()}`);
    this.isOver = true;
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }

  /** Resolves at the first failure. */
  private failed(): Promise<void> {
    return new Promise((resolve) => {
      this.onFailure = resolve;
    });
  }

  private watch(worker: Worker, thread: number): Promise<void> {
    let isOver = false;
    return new Promise((resolve) => {
      const end = (failure?: string) => {
        if (!isOver && !this.isOver && failure !== undefined) {
          this.failures.push(`thread ${thread}, ${this.activity(thread)}: ${failure}`);
          this.onFailure();
        }
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
    return ACTIVITIES[this.control.activityOf(thread)].name;
  }
}
