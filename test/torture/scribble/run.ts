/** Starts the threads of the scribble fuzz. */
import { doneOf, newProgress, runWatched } from "../watched-thread.ts";
import { newTally, type Tally } from "./job.ts";

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
  const { heaps, threads, seed, watched = WATCHED, maxFailures = 10 } = options;
  const { patienceMs = 60_000, onProgress } = options;
  const progress = newProgress(threads);
  const start = performance.now();
  const shared = { watched, seed, heaps, maxFailures, threads, progress };
  const watch = {
    module: new URL("./thread.js", import.meta.url),
    execArgv: ["--conditions=check"],
    patienceMs,
    stuck: (at: number, what: string): Tally => ({ ...newTally(), failures: [{ seed: at, what }] }),
  };
  const timer = setInterval(() => onProgress?.(doneOf(progress)), TICK_MS);
  const threadsDone = Array.from({ length: threads }, (_, thread) =>
    runWatched({ ...shared, thread }, watch),
  );
  const tallies = await Promise.all(threadsDone).finally(() => clearInterval(timer));
  return { ...tallies.reduce(sum, newTally()), seconds: (performance.now() - start) / 1000 };
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
