/**
 * Times one alloc and one free, again and again, each time in a declared NMI context of their own.
 *
 * The clock is performance.now(): in Node it counts nanoseconds, and a call takes some 50 of them. It leaves a number on
 * the heap, as process.hrtime.bigint leaves a BigInt. So samples come in bursts that fit into the young generation,
 * which is collected on demand in between, where nothing is timed; that no other collection took place is counted.
 *
 * A batch of calls between two looks at the clock would hide what is looked for, the one that took long. So each
 * sample is of one pair of calls, and has the clock's own time in it. The control has nothing else: the same loop
 * without the two calls, in turn with ours. What it shows is the clock's and the machine's.
 */
import type { MemAlloc, SharedHeap } from "sharedheap";
import { logUniformSizes } from "../workloads/replace.ts";
import { countCollections } from "./collections.ts";
import { Histogram, type Recorded } from "./histogram.ts";

/** Samples between two collections: a quarter of a MiB of garbage, of the MiB that there is room for. */
const BURST = 8192;
/** Objects that are out. Each is freed so many samples after it came, so that stock is used up and refilled. */
const HELD = 64;
/** Sizes are taken from their table in steps of so many: all of them, and none near the one before. */
const STRIDE = 1597;

/** What the probe saw. */
export interface Seen {
  readonly ours: Recorded;
  readonly control: Recorded;
  /** Allocations that returned NULL, warm-up included. */
  readonly nulls: number;
  /** Garbage collections in the middle of a burst. */
  readonly collections: number;
}

/** One of the two loops. */
interface Sampler {
  readonly histogram: Histogram;
  /** Takes a sample. */
  readonly sample: () => void;
}

/** Measures for `ms`, after a warm-up. Needs --expose-gc. */
export async function probe(heap: SharedHeap, pool: MemAlloc, warmUpMs: number, ms: number): Promise<Seen> {
  const ours = new Pairs(pool, heap.i32);
  const control = controlSampler();
  const samplers = [ours, control];
  runBursts(heap, samplers, warmUpMs);
  for (const { histogram } of samplers) histogram.clear();
  const collections = await countCollections(() => runBursts(heap, samplers, ms));
  ours.freeAll();
  const [seen, machine] = samplers.map(({ histogram }) => histogram.recorded);
  return { ours: seen, control: machine, nulls: ours.nulls, collections };
}

function runBursts(heap: SharedHeap, samplers: readonly Sampler[], ms: number): void {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error("run this with --expose-gc");
  const deadline = performance.now() + ms;
  do {
    for (const { sample } of samplers) {
      gc({ type: "minor" });
      for (let i = 0; i < BURST; i++) heap.context.nmi(sample);
    }
    heap.poll(); // as a program's turns end now and then
  } while (performance.now() < deadline);
}

class Pairs implements Sampler {
  readonly histogram = new Histogram();
  readonly sample: () => void;
  nulls = 0;
  private readonly pool: MemAlloc;
  private readonly held = new Int32Array(HELD);

  constructor(pool: MemAlloc, words: Int32Array) {
    this.pool = pool;
    const { histogram, held } = this;
    const sizes = logUniformSizes();
    let count = 0;
    this.sample = () => {
      const size = sizes[(count * STRIDE) % sizes.length];
      const at = count % HELD;
      const old = held[at];
      const start = performance.now();
      const p = pool.alloc(size);
      pool.free(old);
      const end = performance.now();
      if (p === 0) this.nulls++;
      else words[p >>> 2] = count;
      held[at] = p;
      count = (count + 1) % sizes.length;
      histogram.record((end - start) * 1e6);
    };
  }

  freeAll(): void {
    for (const p of this.held) this.pool.free(p);
    this.held.fill(0);
  }
}

/** All that `Pairs` does but the two calls. */
function controlSampler(): Sampler {
  const histogram = new Histogram();
  const held = new Int32Array(HELD);
  const sizes = logUniformSizes();
  let count = 0;
  const sample = () => {
    const size = sizes[(count * STRIDE) % sizes.length];
    const at = count % HELD;
    const old = held[at];
    const start = performance.now();
    const end = performance.now();
    held[at] = old + size;
    count = (count + 1) % sizes.length;
    histogram.record((end - start) * 1e6);
  };
  return { histogram, sample };
}
