/** A run: a heap, threads that make and drop groups in it, rests at which all is looked at, and in the end the books. */
import { setTimeout as pause } from "node:timers/promises";
import { loadLibrary } from "../rcu/library.ts";
import { wrongAtEnd, wrongAtRest } from "./books.ts";
import { Control, newControl } from "./control.ts";
import { type Counts, newCounts, totals } from "./counters.ts";
import { Crew } from "./crew.ts";
import { ROOT, TIGHT, TIGHT_MAX } from "./job.ts";
import { findTooFew } from "./verdict.ts";

export interface RunOptions {
  readonly seconds: number;
  /** Goes on for up to so long while too little has happened to mean anything, as on a loaded machine. Default: `seconds`. */
  readonly maxSeconds?: number;
  readonly threads: number;
  readonly seed: number;
  /** Address of the library. */
  readonly library: string;
}

export interface RunResult {
  /** How long the threads ran, rests included. */
  readonly seconds: number;
  readonly rests: number;
  readonly counts: Counts;
  /** What is wrong: the first is what to look at. */
  readonly failures: readonly string[];
}

/** Called at each rest. */
export type OnRest = (seconds: number, counts: Counts) => void;

/** Reserved, not used: room enough, so that only limits refuse. */
const HEAP_BYTES = 64 * 2 ** 20;
/** So few that they run out now and then. */
const NAMES_PER_THREAD = 30;
const PERCPU_BYTES = 256 * 1024;
/** Between rests. */
const REST_MS = 1000;

/** Until the time is over, or something is found. */
export async function run(options: RunOptions, onRest: OnRest = () => {}): Promise<RunResult> {
  const { library, threads, seed, seconds: least, maxSeconds = least } = options;
  const { SharedHeap } = await loadLibrary(library);
  // this thread only looks on: were it to poll, a broken library could keep it for ever
  const sizes = { bytes: HEAP_BYTES, maxCpus: threads + 1, maxNames: threads * NAMES_PER_THREAD };
  const heap = SharedHeap.create({ ...sizes, percpuBytes: PERCPU_BYTES, name: "starter", turns: false });
  heap.memcg({ name: TIGHT, max: TIGHT_MAX, parent: heap.memcg({ name: ROOT }) });
  const counts = newCounts(threads);
  const crew = new Crew(new Control(newControl(threads)), seed, { library, token: heap.token, counts });
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1000;
  let rests = 0;
  const isOver = () =>
    seconds() >= maxSeconds || (seconds() >= least && findTooFew(least, totals(counts)).length === 0);
  while (!isOver() && crew.failures.length === 0) {
    await pause(Math.min(REST_MS, 1000 * least));
    await crew.atRest(() => {
      rests++;
      crew.failures.push(...wrongAtRest(heap, totals(counts)));
      onRest(seconds(), totals(counts));
    });
  }
  const lasted = seconds();
  await crew.stop();
  const sums = totals(counts);
  const failures = [...crew.failures];
  if (failures.length === 0) failures.push(...wrongAtEnd(heap, sums), ...findTooFew(least, sums));
  return { seconds: lasted, rests, counts: sums, failures };
}
