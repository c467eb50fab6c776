/** Starts the thread of the misuse fuzz. */
import { BUILT } from "../rcu/library.ts";
import { doneOf, newProgress, runWatched } from "../watched-thread.ts";
import { newTally, type Tally } from "./job.ts";

export interface MisuseOptions {
  readonly calls: number;
  readonly seed: number;
  /** Address of the library; default: the one in dist. */
  readonly library?: string;
  /** Default: 10. */
  readonly maxFailures?: number;
  /** Without progress for so long it is stuck. Default: a minute. */
  readonly patienceMs?: number;
  /** Called twice a second with how many wrong calls have been made. */
  readonly onProgress?: (calls: number) => void;
}

export interface MisuseResult extends Tally {
  readonly seconds: number;
}

const TICK_MS = 500;

export async function misuseHeaps(options: MisuseOptions): Promise<MisuseResult> {
  const { calls, seed, library = BUILT, maxFailures = 10, patienceMs = 60_000, onProgress } = options;
  const progress = newProgress(1);
  const start = performance.now();
  const watch = {
    module: new URL("./thread.js", import.meta.url),
    execArgv: [],
    patienceMs,
    stuck: (at: number, what: string): Tally => ({ ...newTally(), failures: [{ seed: at, what }] }),
  };
  const timer = setInterval(() => onProgress?.(doneOf(progress)), TICK_MS);
  const job = { library, seed, calls, maxFailures, thread: 0, progress };
  const tally = await runWatched(job, watch).finally(() => clearInterval(timer));
  return { ...tally, seconds: (performance.now() - start) / 1000 };
}
