/** A thread in mode kthread, all of whose calls are real-time: it says what it got, and whether it went to slab itself. */
import { parentPort, workerData } from "node:worker_threads";
import { type HeapToken, SharedHeap } from "sharedheap";

/** What it is told, and what it tells. */
export interface KthreadJob {
  readonly token: HeapToken;
  readonly name: string;
  readonly size: number;
  readonly objects: number;
}
export interface KthreadTally {
  got: number;
  nulls: number;
  /** Objects that somebody else had written to. */
  overwritten: number;
  slabAllocs: number;
  slabFrees: number;
}

const BURST = 20;
const HELD = 300;
/** So often it waits for help, at most. */
const PATIENCE = 20_000;

const { token, name, size, objects } = workerData as KthreadJob;
const heap = SharedHeap.attach(token, { name: "audio", irqWork: "kthread", turns: false });
const pool = heap.memCache({ name, size });
const tally: KthreadTally = { got: 0, nulls: 0, overwritten: 0, slabAllocs: 0, slabFrees: 0 };
const held: number[] = [];
const pause = new Int32Array(new SharedArrayBuffer(4));

function take(): void {
  const p = pool.alloc();
  if (p === 0) {
    tally.nulls++;
    return;
  }
  tally.got++;
  heap.u32.fill(p, p >>> 2, (p + size) >>> 2);
  held.push(p);
}

function give(): void {
  const p = held.shift() as number;
  if (!heap.u32.subarray(p >>> 2, (p + size) >>> 2).every((word) => word === p)) tally.overwritten++;
  if (p % 48 === 0) pool.free(p);
  else pool.freeRcu(p);
}

const offs = [
  heap.tracepoints.on("slab:alloc", () => tally.slabAllocs++),
  heap.tracepoints.on("slab:free", () => tally.slabFrees++),
];
for (let round = 0; round < PATIENCE && tally.got < objects; round++) {
  const before = tally.nulls;
  heap.context.nmi(() => {
    for (let i = 0; i < BURST; i++) take();
    while (held.length > HELD) give();
  });
  if (tally.nulls > before) Atomics.wait(pause, 0, 0, 1);
}
for (const off of offs) off();
heap.context.nmi(() => {
  while (held.length > 0) give();
});
heap.detach();
parentPort?.postMessage(tally);
