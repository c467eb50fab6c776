/** The thread that takes what it can get, or, in the control runs, computes as hard without allocating. */
import { workerData } from "node:worker_threads";
import { SharedHeap } from "sharedheap";
import { ATTACK, DOING, HITS, type Job, MAX_BYTES, MODE, TENANTS } from "./job.ts";

const TRIES = 1000;
const { token, control } = workerData as Job;
const heap = SharedHeap.attach(token, { turns: false });
const [, name] = TENANTS;
const pool = heap.memAlloc({ name, memcg: heap.memcg({ name, max: MAX_BYTES }) });
const held: number[] = [];
let random = 1;

/** Allocates until NULL and some more, then frees all. */
function attack(): void {
  for (let p = pool.alloc(64); p !== 0; p = pool.alloc(64)) held.push(p);
  for (let i = 0; i < TRIES; i++) held.push(pool.alloc(64));
  Atomics.add(control, HITS, TRIES / 1000);
  while (held.length > 0) pool.free(held.pop() ?? 0);
}

function burn(): void {
  for (let i = 0; i < TRIES; i++) random = (Math.imul(random, 1103515245) + 12345) | 0;
}

for (let mode = Atomics.load(control, MODE); mode >= 0; mode = Atomics.load(control, MODE)) {
  Atomics.store(control, DOING, mode);
  if (mode === ATTACK) attack();
  else burn();
}
heap.detach();
