/** A thread of the tests in threads.test.ts: allocates, frees, writes to what was freed, or does all of it at random. */
import { parentPort, workerData } from "node:worker_threads";
import { type HeapToken, SharedHeap, type SharedHeapError } from "sharedheap";
import { randomFrom } from "../support/random.ts";
import { here } from "./support.ts";

export interface Job {
  readonly token: HeapToken;
  readonly role: "allocates" | "frees" | "writes" | "mixes";
  /** What has been done so far of: allocated, freed, written. */
  readonly stage: Int32Array;
  readonly seed: number;
}

/** What a thread answers: places of its calls, and what it was told. */
export interface Answer {
  readonly role: string;
  readonly place: string;
  readonly told: string;
}

const { token, role, stage, seed } = workerData as Job;
const heap = SharedHeap.attach(token, { name: role, turns: false });
const pool = heap.memCache({ name: "fixed", size: 64 });
let place = "";
let told = "";

function waitFor(done: number): void {
  for (let now = Atomics.load(stage, 0); now < done; now = Atomics.load(stage, 0))
    Atomics.wait(stage, 0, now, 100);
}

function finish(done: number): void {
  Atomics.store(stage, 0, done);
  Atomics.notify(stage, 0);
}

function allocate(): void {
  const [p, at] = [pool.alloc(), here()];
  place = at;
  heap.roots.set("object", p);
  finish(1);
  // its name is known as long as it is there
  waitFor(3);
}

function free(): void {
  waitFor(1);
  const [, at] = [pool.free(heap.roots.get("object")), here()];
  place = at;
  finish(2);
  waitFor(3);
}

function write(): void {
  waitFor(2);
  heap.u8[heap.roots.get("object") + 7] = 7;
  finish(3);
}

/** Objects go through slots that all threads share: whoever takes one out frees it. */
function mix(): void {
  const random = randomFrom(seed);
  for (let i = 0; i < 1500; i++) {
    const p = random(2) === 0 ? pool.alloc() : heap.malloc(1 + random(3000));
    if (p !== 0) heap.u8[p] = 1;
    const old = Atomics.exchange(stage, 1 + random(32), p);
    if (old !== 0) giveBack(old, random(2) === 0);
    if (random(50) === 0) heap.poll();
  }
}

function giveBack(p: number, isRcu: boolean): void {
  try {
    if (isRcu) pool.freeRcu(p);
    else pool.free(p);
  } catch (error) {
    if ((error as SharedHeapError).code !== "wrong-cache") throw error;
    heap.free(p);
  }
}

({ allocates: allocate, frees: free, writes: write, mixes: mix })[role]();
try {
  heap.detach();
} catch (error) {
  told = (error as Error).message;
}
parentPort?.postMessage({ role, place, told } satisfies Answer);
