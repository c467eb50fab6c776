/** Threads of the fuzzers, which say what they are at: one that gets no further is noticed, and what it was at is known. */
import { Worker } from "node:worker_threads";

/** For each thread: how much is done, and the seed of what is under way. */
export const PROGRESS_WORDS = 2;

export interface WatchedJob {
  readonly thread: number;
  /** PROGRESS_WORDS for each thread. */
  readonly progress: Int32Array;
}

export interface Watch<Answer> {
  readonly module: URL;
  /** Options of Node for the thread; it gets none of this process: from 22 on a test runner gives its children all there are. */
  readonly execArgv: readonly string[];
  /** Without progress for so long the thread is taken to be stuck. */
  readonly patienceMs: number;
  /** What to answer for it then. */
  readonly stuck: (seed: number, what: string) => Answer;
}

const TICK_MS = 500;

export function newProgress(threads: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4 * PROGRESS_WORDS * threads));
}

/** The thread begins with `seed`. */
export function begin({ progress, thread }: WatchedJob, seed: number): void {
  Atomics.store(progress, thread * PROGRESS_WORDS + 1, seed);
}

/** So much more is done. */
export function advance({ progress, thread }: WatchedJob, count: number): void {
  Atomics.add(progress, thread * PROGRESS_WORDS, count);
}

/** What all threads have done. */
export function doneOf(progress: Int32Array): number {
  let done = 0;
  for (let at = 0; at < progress.length; at += PROGRESS_WORDS) done += Atomics.load(progress, at);
  return done;
}

/** Resolves to what the thread posted, or to what `stuck` says. */
export async function runWatched<Answer>(job: WatchedJob, watch: Watch<Answer>): Promise<Answer> {
  const worker = new Worker(watch.module, {
    workerData: job,
    execArgv: ["--enable-source-maps", ...watch.execArgv],
  });
  let watchdog: NodeJS.Timeout | undefined;
  const answer = new Promise<Answer>((resolve, reject) => {
    worker.on("message", resolve);
    worker.on("error", reject);
    watchdog = watchFor(job, watch, resolve);
  });
  try {
    return await answer;
  } finally {
    clearInterval(watchdog);
    await worker.terminate();
  }
}

function watchFor<Answer>(
  { progress, thread }: WatchedJob,
  { patienceMs, stuck }: Watch<Answer>,
  tell: (answer: Answer) => void,
): NodeJS.Timeout {
  let last = -1;
  let since = performance.now();
  return setInterval(() => {
    const done = Atomics.load(progress, thread * PROGRESS_WORDS);
    if (done !== last) since = performance.now();
    last = done;
    if (performance.now() - since < patienceMs) return;
    const seed = Atomics.load(progress, thread * PROGRESS_WORDS + 1);
    tell(stuck(seed, `still running after ${patienceMs / 1000} s`));
  }, TICK_MS);
}
