/**
 * Rounds of kmalloc and kfree, every other kfree after a grace period, while handlers inside the slab allocator call
 * kmallocNolock and kfreeNolock of the same sizes.
 */
import { SharedHeap, type TracepointName } from "sharedheap";

export interface StressOptions {
  readonly rounds: number;
  /** Objects of a round. */
  readonly objects: number;
}

export interface StressResult {
  /** Calls of kmallocNolock from inside, and how many of them got NULL. */
  readonly calls: number;
  readonly failed: number;
  /** Broken invariants; objects that are not back in the end. */
  readonly errors: readonly string[];
}

const SIZES = [16, 64, 100, 256, 700, 2000];
const POINTS: readonly TracepointName[] = ["slab:alloc", "slab:free", "slab:new", "slab:discard"];
/** Objects that the handlers hold at once. */
const HELD = 16;

class Handlers {
  calls = 0;
  failed = 0;
  private readonly heap: SharedHeap;
  private readonly held = new Float64Array(HELD);
  private readonly offs: readonly (() => void)[];

  constructor(heap: SharedHeap) {
    this.heap = heap;
    this.offs = POINTS.map((name) => heap.tracepoints.on(name, () => this.handle()));
  }

  /** No more calls; nothing is held. */
  stop(): void {
    for (const off of this.offs) off();
    for (const p of this.held) this.heap.kfreeNolock(p);
  }

  /** Frees the oldest object and allocates another one. Both are traced: another point's handler may run under it. */
  private handle(): void {
    const call = this.calls++;
    const at = call % HELD;
    const oldest = this.held[at];
    this.held[at] = 0;
    this.heap.kfreeNolock(oldest);
    this.held[at] = this.heap.kmallocNolock(SIZES[call % SIZES.length]);
    if (this.held[at] === 0) this.failed++;
  }
}

/** One round. Every other object is freed when a grace period has passed. */
function round(heap: SharedHeap, objects: number, size: number): void {
  const all = new Float64Array(objects);
  for (let i = 0; i < objects; i++) all[i] = heap.kmalloc(size);
  for (let i = 0; i < objects; i += 2) heap.kfree(all[i]);
  heap.rcu.call(() => {
    for (let i = 1; i < objects; i += 2) heap.kfree(all[i]);
  });
  heap.poll();
}

export function slabStress({ rounds, objects }: StressOptions): StressResult {
  using heap = SharedHeap.create({ bytes: 64 * 2 ** 20, maxCpus: 2, turns: false });
  const handlers = new Handlers(heap);
  const errors: string[] = [];
  for (let i = 0; i < rounds; i++) {
    round(heap, objects, SIZES[i % SIZES.length]);
    if (i % 50 === 0) errors.push(...heap.verify());
  }
  handlers.stop();
  for (let i = 0; i < 8; i++) heap.poll();
  errors.push(...heap.verify());
  const used = heap.stats().slabs.reduce((sum, slab) => sum + slab.used, 0);
  if (used !== 0) errors.push(`${used} objects are not back`);
  return { calls: handlers.calls, failed: handlers.failed, errors };
}
