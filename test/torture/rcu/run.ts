/** A run: a heap, threads that torture it, what they count, and in the end the books. */
import { setTimeout as pause } from "node:timers/promises";
import type { SharedHeap } from "sharedheap";
import { settle } from "./books.ts";
import { Control, newControl } from "./control.ts";
import { type Counts, Totals } from "./counters.ts";
import { Crew } from "./crew.ts";
import { ALL_SLOTS } from "./kinds.ts";
import { loadLibrary } from "./library.ts";
import { Memory, type MemoryReport, pagesHeld } from "./memory.ts";
import { findTooFew, findWeaknesses } from "./verdict.ts";

export interface RunOptions {
  readonly seconds: number;
  /** Goes on for up to so long while too little has happened to mean anything, as on a loaded machine. Default: `seconds`. */
  readonly maxSeconds?: number;
  readonly threads: number;
  readonly seed: number;
  readonly traceImpliesRcu: boolean;
  /** Address of the library. */
  readonly library: string;
}

export interface RunResult {
  /** How long the threads ran. */
  readonly seconds: number;
  readonly counts: Counts;
  readonly memory: MemoryReport;
  /** What is wrong: the first is what to look at. */
  readonly failures: readonly string[];
}

/** Called some times a second. */
export type OnLook = (seconds: number, counts: Counts, pages: number) => void;

/** Reserved, not used: room for what waits for grace periods. */
const HEAP_BYTES = 512 * 2 ** 20;
const LOOK_MS = 20;

/** Until the time is over, or something is found. */
export async function run(options: RunOptions, onLook: OnLook = () => {}): Promise<RunResult> {
  const { library, threads, traceImpliesRcu, seed } = options;
  const { SharedHeap, GFP_ZERO } = await loadLibrary(library);
  // this thread only looks on: were it to poll, a broken library could keep it for ever
  const sizes = { bytes: HEAP_BYTES, maxCpus: threads + 1, traceImpliesRcu };
  const heap = SharedHeap.create({ ...sizes, name: "starter", turns: false });
  const slots = heap.kmalloc(ALL_SLOTS * 4, GFP_ZERO);
  const control = new Control(newControl(threads));
  const totals = new Totals(control);
  const crew = new Crew(control, seed, { library, token: heap.token, slots });
  const { seconds, memory } = await watch(heap, crew, totals, options, onLook);
  await crew.stop();
  const counts = totals.look();
  if (crew.failures.length > 0) return { seconds, counts, memory, failures: crew.failures };
  const failures = await settle(heap, slots);
  return {
    seconds,
    counts,
    memory,
    failures: [...failures, ...findWeaknesses(options.seconds, counts, memory)],
  };
}

async function watch(heap: SharedHeap, crew: Crew, totals: Totals, options: RunOptions, onLook: OnLook) {
  const { seconds: least, maxSeconds = least } = options;
  const memory = new Memory();
  const start = performance.now();
  for (;;) {
    const seconds = (performance.now() - start) / 1000;
    const [pages, counts] = [pagesHeld(heap), totals.look()];
    memory.note(seconds, pages);
    onLook(seconds, counts, pages);
    const isOver = seconds >= maxSeconds || (seconds >= least && findTooFew(least, counts).length === 0);
    if (isOver || crew.failures.length > 0) return { seconds, memory: memory.report() };
    await pause(LOOK_MS);
  }
}
