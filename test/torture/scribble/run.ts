/** Starts the threads of the scribble fuzz, and notices if one of them gets no further. */
import { Worker } from "node:worker_threads";
import { type Failure, type Job, newTally, PROGRESS_WORDS, type Tally } from "./job.ts";

export interface ScribbleOptions {
  readonly heaps: number;
  readonly threads: number;
  readonly seed: number;
  /** Address of the library whose accesses are watched; default: build/src. */
  readonly watched?: string;
  /** Default: 10. */
  readonly maxFailures?: number;
  /** A heap that takes longer is a failure. Default: a minute. */
  readonly patienceMs?: number;
  /** Called twice a second with how many heaps are done. */
  readonly onProgress?: (heaps: number) => void;
}

export interface ScribbleResult extends Tally {
  readonly seconds: number;
}

/** The library as it was compiled, with its accessors: under the condition `check` these can be watched. */
export const WATCHED = new URL("../../../src/index.js", import.meta.url).href;
const TICK_MS = 500;

export async function scribbleHeaps(options: ScribbleOptions): Promise<ScribbleResult> {
  const {
    heaps,
    threads,
    seed,
    watched = WATCHED,
    maxFailures = 10,
    patienceMs = 60_000,
    onProgress,
  } = options;
  const progress = new Int32Array(new SharedArrayBuffer(4 * PROGRESS_WORDS * threads));
  const start = performance.now();
  const jobs = Array.from({ length: threads }, (_, thread) => ({
    watched,
    seed,
    heaps,
    maxFailures,
    thread,
    threads,
    progress,
  }));
  const timer = setInterval(() => onProgress?.(doneOf(progress)), TICK_MS);
  const tallies = await Promise.all(jobs.map((job) => runThread(job, patienceMs))).finally(() =>
    clearInterval(timer),
  );
  return { ...tallies.reduce(sum, newTally()), seconds: (performance.now() - start) / 1000 };
}

/** Resolves to what the thread has found, or to that it is stuck. */
function runThread(job: Job, patienceMs: number): Promise<Tally> {
  const worker = new Worker(new URL("./thread.js", import.meta.url), {
    workerData: job,
    execArgv: [...process.execArgv.filter((arg) => !arg.startsWith("--test")), "--conditions=check"],
  });
  let watchdog: NodeJS.Timeout | undefined;
  const answer = new Promise<Tally>((resolve, reject) => {
    worker.on("message", resolve);
    worker.on("error", reject);
    watchdog = watchFor(job, patienceMs, (failure) => resolve({ ...newTally(), failures: [failure] }));
  });
  return answer.finally(async () => {
    clearInterval(watchdog);
    await worker.terminate();
  });
}

/** Calls `tell` when a thread has been busy with one heap for that long. */
function watchFor(
  { progress, thread }: Job,
  patienceMs: number,
  tell: (failure: Failure) => void,
): NodeJS.Timeout {
  let last = -1;
  let since = performance.now();
  return setInterval(() => {
    const done = Atomics.load(progress, thread * PROGRESS_WORDS);
    if (done !== last) since = performance.now();
    last = done;
    if (performance.now() - since < patienceMs) return;
    const seed = Atomics.load(progress, thread * PROGRESS_WORDS + 1);
    tell({ seed, what: `still running after ${patienceMs / 1000} s` });
  }, TICK_MS);
}

function doneOf(progress: Int32Array): number {
  let done = 0;
  for (let at = 0; at < progress.length; at += PROGRESS_WORDS) done += Atomics.load(progress, at);
  return done;
}

function sum(a: Tally, b: Tally): Tally {
  const attaches = { ...a.attaches };
  for (const [code, count] of Object.entries(b.attaches)) attaches[code] = (attaches[code] ?? 0) + count;
  return {
    heaps: a.heaps + b.heaps,
    reported: a.reported + b.reported,
    words: a.words + b.words,
    mostReads: Math.max(a.mostReads, b.mostReads),
    attaches,
    failures: [...a.failures, ...b.failures],
  };
}
