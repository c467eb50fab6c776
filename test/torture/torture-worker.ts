/** One thread of the torture test: random calls, until it has made as many as its job says. */
import { parentPort, workerData } from "node:worker_threads";
import { type MemCache, SharedHeap } from "sharedheap";
import { FIXED_BYTES, type Job, RING_SLOTS, type Tally } from "./job.ts";
import { MIN_BYTES, stamp, unstamp } from "./objects.ts";

const { token, seed, operations, ring, mayFail } = workerData as Job;
const HELD = 200;

let random = seed;

/** An integer from 0 to `below` - 1: mulberry32, whose low and high bits are both good. */
function pick(below: number): number {
  random = (random + 0x6d2b79f5) | 0;
  let mixed = Math.imul(random ^ (random >>> 15), random | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
}

class Thread {
  readonly tally: Tally = { allocs: 0, frees: 0, failed: 0, handed: 0, attaches: 0 };
  /** Objects this thread has: blocks of malloc, and fixed-size ones. */
  private readonly held = [new Int32Array(HELD), new Int32Array(HELD)];
  private heap: SharedHeap;
  private fixed: MemCache | undefined;

  constructor() {
    this.heap = SharedHeap.attach(token);
  }

  step(): void {
    const dice = pick(1000);
    if (dice < 960) this.swap(pick(2), pick(HELD));
    else if (dice < 990) this.handOver(pick(2), pick(HELD));
    else if (dice < 997) this.nested();
    else if (dice < 998) this.heap.poll();
    else if (pick(4) === 0) this.reattach();
  }

  finish(): void {
    for (const kind of [0, 1]) for (let at = 0; at < HELD; at++) this.drop(kind, at);
    this.heap.detach();
  }

  /** Frees what is at that place, or allocates if it is empty. */
  private swap(kind: number, at: number): void {
    if (this.held[kind][at] !== 0) this.drop(kind, at);
    else this.fill(kind, at);
  }

  private fill(kind: number, at: number): void {
    const bytes = kind === 1 ? FIXED_BYTES : sizeOf(pick(100));
    const p = kind === 1 ? (this.openFixed()?.alloc() ?? 0) : this.heap.malloc(bytes);
    if (p === 0) {
      this.tally.failed++;
      if (!mayFail && this.heap.context.inTask()) throw new Error(`alloc(${bytes}) is NULL in a large heap`);
      return;
    }
    this.tally.allocs++;
    stamp(this.heap, p, bytes, random);
    this.held[kind][at] = p;
  }

  private drop(kind: number, at: number): void {
    const p = this.held[kind][at];
    if (p === 0) return;
    const pool = kind === 1 ? this.openFixed() : this.heap;
    if (pool === undefined) return;
    unstamp(this.heap, p);
    pool.free(p);
    this.held[kind][at] = 0;
    this.tally.frees++;
  }

  /** Puts an object where another thread may take it, and takes what was there. */
  private handOver(kind: number, at: number): void {
    const slot = kind * RING_SLOTS + pick(RING_SLOTS);
    this.held[kind][at] = Atomics.exchange(ring, slot, this.held[kind][at]);
    this.tally.handed++;
  }

  private nested(): void {
    this.heap.context.nmi(() => {
      for (let i = 0; i < 60; i++) this.swap(pick(2), pick(HELD));
    });
  }

  private reattach(): void {
    this.heap.detach();
    this.heap = SharedHeap.attach(token);
    this.fixed = undefined;
    this.tally.attaches++;
  }

  /** Opens it when first needed; undefined if there is no memory for it now. */
  private openFixed(): MemCache | undefined {
    if (this.fixed !== undefined) return this.fixed;
    try {
      this.fixed = this.heap.memCache({ name: "fixed", size: FIXED_BYTES });
    } catch (error) {
      if (!mayFail || (error as { code?: string }).code !== "out-of-memory") throw error;
    }
    return this.fixed;
  }
}

/** Mostly small, sometimes pages. */
function sizeOf(percent: number): number {
  if (percent < 80) return MIN_BYTES + pick(64) * 4;
  if (percent < 98) return MIN_BYTES + pick(1000) * 4;
  return MIN_BYTES + pick(5000) * 4;
}

const thread = new Thread();
for (let i = 0; i < operations; i++) thread.step();
thread.finish();
parentPort?.postMessage(thread.tally);
