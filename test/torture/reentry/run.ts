/** Starts the threads of the fuzz, and looks at what they left. */
import type { SharedHeap } from "sharedheap";
import { runThreads } from "../../support/threads.ts";
import { BUILT, loadLibrary } from "../rcu/library.ts";
import type { Job, Tally } from "./job.ts";

export interface FuzzOptions {
  readonly operations: number;
  readonly threads: number;
  readonly seed: number;
  /** Address of the library; default: the one in dist. */
  readonly library?: string;
  /** Called twice a second with how many operations have been made. */
  readonly onProgress?: (operations: number) => void;
}

export interface FuzzResult {
  readonly operations: number;
  readonly seconds: number;
  /** Operations by the depth of handlers. */
  readonly byDepth: readonly number[];
  readonly calls: Readonly<Record<string, number>>;
  /** Allocations that got NULL, in handlers or in a full group. In task context no others do, or the fuzz fails. */
  readonly nulls: number;
  /** Objects that are neither free nor held by anybody, in the end. */
  readonly lost: number;
  readonly problems: readonly string[];
}

const BYTES = 64 * 2 ** 20;
/** Polls that bring a heap to rest. */
const QUIET_POLLS = 64;

/** Throws if a thread found something broken. */
export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  const { operations, threads, seed, library = BUILT, onProgress } = options;
  const { SharedHeap } = await loadLibrary(library);
  using heap = SharedHeap.create({ bytes: BYTES, maxCpus: 2 * threads + 1, turns: false });
  const pagesBefore = heap.stats().pages.held;
  const progress = new Int32Array(new SharedArrayBuffer(4 * threads));
  const jobs = Array.from({ length: threads }, (_, thread): Job => {
    const each = Math.ceil(operations / threads);
    return { library, token: heap.token, thread, seed: seed + thread * 7919, operations: each, progress };
  });
  const timer = setInterval(() => onProgress?.(1000 * progress.reduce((sum, count) => sum + count, 0)), 500);
  const start = performance.now();
  const tallies = await runThreads<Tally>(new URL("./thread.js", import.meta.url), jobs).finally(() =>
    clearInterval(timer),
  );
  const seconds = (performance.now() - start) / 1000;
  for (let i = 0; i < QUIET_POLLS; i++) heap.poll();
  return { ...sum(tallies), seconds, lost: lostIn(heap, pagesBefore), problems: heap.verify() };
}

function sum(tallies: readonly Tally[]): Pick<FuzzResult, "operations" | "byDepth" | "calls" | "nulls"> {
  const byDepth = tallies[0].byDepth.map((_, depth) =>
    tallies.reduce((total, tally) => total + tally.byDepth[depth], 0),
  );
  const names = Object.keys(tallies[0].calls);
  const calls = Object.fromEntries(
    names.map((name) => [name, tallies.reduce((total, tally) => total + tally.calls[name], 0)]),
  );
  return {
    operations: byDepth.reduce((total, count) => total + count, 0),
    byDepth,
    calls,
    nulls: tallies.reduce((total, { nulls }) => total + nulls, 0),
  };
}

/** The fuzz's threads have freed all and gone: slabs hold nothing, and large blocks neither. */
function lostIn(heap: SharedHeap, pagesBefore: number): number {
  const { slabs, large, allocators, pages } = heap.stats();
  const out = allocators.reduce((total, { taken, listed }) => total + taken - listed, 0);
  const used = slabs.reduce((total, slab) => total + slab.used, 0);
  const listed = allocators.reduce((total, allocator) => total + allocator.listed, 0);
  const slabPages = slabs.reduce((total, slab) => total + slab.pages, 0);
  return out + (used - listed) + large.blocks + (pages.held - pagesBefore - slabPages);
}
