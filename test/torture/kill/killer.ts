/** Starts threads on a heap, ends each at some moment, and sees that what it left is given back. */
import { setTimeout as pause } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { SharedHeap } from "sharedheap";
import { ACTIVITIES } from "./activities.ts";
import type { Board } from "./board.ts";
import type { Estates } from "./estates.ts";
import type { Job } from "./job.ts";
import { Journal, newJournal } from "./journal.ts";
import { endOwn } from "./own.ts";

/** Threads are ended within so long after they were started, or have begun to attach, or have attached. */
const START_MS = 80;
const ATTACH_MS = 20;
const LIFE_MS = 60;
/** Some live long enough for what they do to be compiled. */
const LONG_LIFE_MS = 300;
/** One that has not attached after so long never will. */
const LATE_MS = 30_000;
/** A CPU that nobody has reaped after so long is lost. */
const REAP_MS = 30_000;
/** For so long the starter waits for a survivor that reaps too; they then begin within RACE_MS of each other. */
const RIVAL_MS = 5;
const RACE_MS = 0.05;

export class Killer {
  deaths = 0;
  /** CPUs that this thread has reaped; survivors count theirs. */
  reaped = 0;
  /** Deaths of threads that had a CPU. */
  withCpu = 0;
  /** Calls that they made. */
  calls = 0;
  /** What they were doing. */
  readonly activities: Record<string, number> = {};
  readonly failures: string[] = [];
  /** Objects that were out when allocators ended that dead threads had made for themselves. */
  leaked = 0;
  /** Such allocators that have not come to their end. */
  ending = 0;
  private readonly heap: SharedHeap;
  private readonly board: Board;
  private readonly estates: Estates;
  private readonly random: (below: number) => number;
  private readonly library: string;

  constructor(
    heap: SharedHeap,
    board: Board,
    estates: Estates,
    random: (below: number) => number,
    library: string,
  ) {
    this.heap = heap;
    this.board = board;
    this.estates = estates;
    this.random = random;
    this.library = library;
  }

  /** The life and death of a thread. */
  async kill(thread: number): Promise<void> {
    const words = newJournal();
    const journal = new Journal(words);
    const { token } = this.heap;
    const seed = this.random(2 ** 31);
    const job: Job = { library: this.library, token, thread, seed, journal: words, board: this.board.words };
    const worker = new Worker(new URL("./victim.js", import.meta.url), { workerData: job });
    worker.on("error", (error) => this.failures.push(`victim ${thread}: ${error.stack ?? error.message}`));
    // before the heap's own listener: survivors and this thread then reap at the same time
    worker.on("exit", () => this.tell(journal));
    this.heap.watch(worker, () => this.reaped++);
    await this.live(worker);
    await worker.terminate();
    await this.bury(thread, journal);
  }

  private async live(worker: Worker): Promise<void> {
    const when = this.random(12);
    if (when === 0) await pause(this.random(START_MS));
    else await this.heard(worker, when === 1 ? "begins" : "attached");
    if (when === 1) await pause(this.random(ATTACH_MS));
    else if (when !== 0) await pause(this.random(when === 2 ? LONG_LIFE_MS : LIFE_MS));
    // between two milliseconds
    this.spin(1);
  }

  /** Until the thread says so, or has ended. */
  private heard(worker: Worker, word: string): Promise<void> {
    return new Promise((resolve) => {
      const late = setTimeout(resolve, LATE_MS);
      const end = (): void => {
        clearTimeout(late);
        resolve();
      };
      worker.on("message", (message) => message === word && end());
      worker.on("exit", end);
    });
  }

  private tell(journal: Journal): void {
    const { cpu, generation } = journal.place;
    if (cpu < 0 || this.random(2) === 0) return;
    this.board.tellDead(cpu, generation);
    for (const end = performance.now() + RIVAL_MS; performance.now() < end && !this.board.someoneComes; );
    this.spin(RACE_MS);
  }

  private spin(ms: number): void {
    const end = performance.now() + (ms * this.random(100)) / 100;
    while (performance.now() < end);
  }

  private async bury(thread: number, journal: Journal): Promise<void> {
    await this.isReaped(thread, journal);
    this.deaths++;
    this.calls += journal.calls;
    const { name } = ACTIVITIES[journal.activity];
    this.activities[name] = (this.activities[name] ?? 0) + 1;
    try {
      this.estates.add(journal);
    } catch (error) {
      this.failures.push(`what victim ${thread} left: ${(error as Error).stack}`);
    }
    if (journal.own !== 0) void this.endOwn(thread, journal.own);
  }

  private async endOwn(thread: number, own: number): Promise<void> {
    this.ending++;
    try {
      // a sum that is read before the wait would forget what others add meanwhile
      const leaked = await endOwn(this.heap, thread, own);
      this.leaked += leaked;
      this.ending--;
    } catch (error) {
      this.failures.push(`what victim ${thread} had made cannot be ended: ${String(error)}`);
    }
  }

  /** Waits for who began to reap before this thread did. */
  private async isReaped(thread: number, journal: Journal): Promise<void> {
    const { cpu, generation } = journal.place;
    if (cpu < 0) return;
    this.withCpu++;
    for (const start = performance.now(); performance.now() < start + REAP_MS; await pause(1)) {
      const now = this.heap.cpus()[cpu];
      if (now.state === "free" || now.generation !== generation) return;
    }
    this.failures.push(`victim ${thread}: CPU ${cpu} is ${this.heap.cpus()[cpu].state} for ever`);
  }
}
