/** Runs a replay: a heap, the workers, and the balance at the end. */
import { SharedHeap } from "../index.ts";
import type { ReplayOptions } from "./arguments.ts";
import { type Books, readBooks } from "./books.ts";
import { type Control, elapsedSeconds, makeControl, readProgress } from "./control.ts";
import { runCrew } from "./crew.ts";
import { peakDemand } from "./demand.ts";
import { inputError, messageOf } from "./exit.ts";
import { makePlan, type Plan } from "./plan.ts";
import type { ReplayDone, ReplayJob } from "./replay-job.ts";
import type { Tally } from "./replayer.ts";
import type { Trace } from "./trace.ts";
import { formatBytes, GIB_4, MIB } from "./units.ts";

const PAGE_BYTES = 4096;
const MOST_THREADS_BY_DEFAULT = 8;
const LEAST_HEAP_BYTES = 256 * MIB;
const POLL_MS = 100;
/** More than enough, since nobody reads. */
const COLLECT_POLLS = 100;

/** Everything a run found out, before it is put in words. */
export interface Outcome {
  options: ReplayOptions;
  threads: number;
  heapBytes: number;
  plan: Pick<Plan, "total" | "endFrees">;
  seconds: number;
  tally: Tally;
  demand: { requested: number; units: number };
  heldBytes: number;
  before: Books;
  after: Books;
  /** What heap.verify() says. */
  problems: string[];
}

/** Replays a trace; `onProgress` hears now and then how many of how many operations are done. */
export async function replay(
  trace: Trace,
  options: ReplayOptions,
  onProgress: (done: number, total: number) => void,
): Promise<Outcome> {
  const threads = options.threads ?? Math.min(trace.threadCount, MOST_THREADS_BY_DEFAULT);
  const plan = makePlan(trace, threads);
  const heapBytes = options.heapBytes ?? ampleHeap(trace, plan);
  const creator = createHeap(heapBytes, threads);
  const before = readBooks(creator, options.alloc);
  // Leaves room for one worker more: a heap has no more CPUs than the replay may have workers.
  creator.detach();
  const control = makeControl(threads);
  const poll = setInterval(() => onProgress(readProgress(control), plan.total * options.repeat), POLL_MS);
  try {
    const jobs = makeJobs(plan, control, options, creator);
    const done = await runCrew<ReplayJob, ReplayDone>(new URL("./replay-worker.js", import.meta.url), jobs);
    const tally = sumUp(done.map((answer) => answer.tally));
    const heap = SharedHeap.attach(creator.token, { name: "replay" });
    collect(heap);
    const balance = { before, after: readBooks(heap, options.alloc), problems: heap.verify() };
    const heldBytes = heap.stats().pages.peak * PAGE_BYTES;
    const measured = { seconds: elapsedSeconds(control), demand: peakDemand(control.demand), heldBytes };
    return { options, threads, heapBytes, plan, tally, ...measured, ...balance };
  } finally {
    clearInterval(poll);
  }
}

/** Of threads that detach at the same time, each may leave to the others what one of them was in the middle of. */
function collect(heap: SharedHeap): void {
  for (let i = 0; i < COLLECT_POLLS && heap.stats().rcu.waitingBytes > 0; i++) heap.poll();
}

/**
 * Untouched memory costs nothing, so four times the trace's peak, with 16 bytes more for each object; and
 * twice all that one worker allocates for another, since the one may be done before the other begins.
 */
function ampleHeap(trace: Trace, plan: Plan): number {
  const live = trace.peakBytes + 16 * trace.peakObjects;
  const ahead = plan.remote.bytes + 16 * plan.remote.objects;
  const bytes = Math.max(LEAST_HEAP_BYTES, 4 * live + 2 * ahead);
  return Math.min(Math.ceil(bytes / MIB) * MIB, GIB_4);
}

function createHeap(bytes: number, maxCpus: number): SharedHeap {
  try {
    return SharedHeap.create({ bytes, maxCpus });
  } catch (error) {
    throw inputError(`no heap of ${formatBytes(bytes)} for ${maxCpus} threads: ${messageOf(error)}`);
  }
}

function makeJobs(plan: Plan, control: Control, options: ReplayOptions, heap: SharedHeap): ReplayJob[] {
  const { alloc, repeat } = options;
  const { sizes } = plan;
  const { token } = heap;
  const offsets = new Int32Array(new SharedArrayBuffer(sizes.length * 4));
  const workers = plan.operations.length;
  return plan.operations.map((operations, worker) => {
    return { token, alloc, worker, workers, repeat, operations, sizes, offsets, control };
  });
}

function sumUp(tallies: readonly Tally[]): Tally {
  const sum: Tally = { failed: 0, corrupted: 0, remoteFrees: 0, largeRequests: 0 };
  for (const tally of tallies) {
    for (const key of Object.keys(sum) as (keyof Tally)[]) sum[key] += tally[key];
  }
  return sum;
}
