/**
 * What each worker is to do: a trace dealt out to N workers.
 *
 * A worker's plan is one word per operation, 4 x id + what to do with the object. Ids are given anew, so that
 * those of one worker's allocations follow each other: workers then rarely touch the same cache line of the
 * tables that ids index. All tables are shared memory; workers get them without a copy.
 */
import type { Trace } from "./trace.ts";

/** What to do with an object. REMOTE: another worker frees it, or has allocated it. */
export const ACT = { alloc: 0, allocRemote: 1, free: 2, freeRemote: 3 } as const;

export interface Plan {
  /** By worker. */
  operations: Uint32Array[];
  /** By id: the bytes asked for. */
  sizes: Uint32Array;
  /** Operations of one round: those of the trace, and a free for each object that the trace leaves. */
  total: number;
  endFrees: number;
  /** What is freed by another worker than the one that allocates it. */
  remote: { objects: number; bytes: number };
}

/** Deals a trace out: thread t to worker t mod `workers`, a trace of one thread by slot. */
export function makePlan(trace: Trace, workers: number): Plan {
  const deal = dealOut(trace, workers);
  const counts = countOperations(trace, deal, workers);
  const operations = counts.operations.map((count) => sharedWords(count));
  const sizes = sharedWords(trace.sizes.length);
  const filled = new Array<number>(workers).fill(0);
  const place = renumber(trace, deal, counts.allocations, sizes);
  const write = (worker: number, word: number) => {
    operations[worker][filled[worker]++] = word;
  };
  for (let i = 0; i < trace.operations.length; i++) {
    const id = trace.operations[i] >>> 1;
    write(workerOf(trace, i, workers), place[id] * 4 + actOf(trace.operations[i], deal.end[id]));
  }
  for (let id = 0; id < place.length; id++) {
    if (deal.end[id] === KEPT) write(deal.home[id], place[id] * 4 + ACT.free);
  }
  const total = 2 * trace.sizes.length;
  const remote = sumRemote(trace, deal);
  return { operations, sizes, total, endFrees: total - trace.operations.length, remote };
}

/** How an object's life ends: KEPT is not freed by the trace. */
const KEPT = 0;
const FREED_AT_HOME = 1;
const FREED_ELSEWHERE = 2;

/** By the trace's ids: the worker that allocates, and how the life ends. */
interface Deal {
  home: Uint8Array;
  end: Uint8Array;
}

function workerOf(trace: Trace, operation: number, workers: number): number {
  if (trace.singleThread) return trace.slots[trace.operations[operation] >>> 1] % workers;
  return trace.threads[operation] % workers;
}

function dealOut(trace: Trace, workers: number): Deal {
  const home = new Uint8Array(trace.sizes.length);
  const end = new Uint8Array(trace.sizes.length);
  for (let i = 0; i < trace.operations.length; i++) {
    const id = trace.operations[i] >>> 1;
    const worker = workerOf(trace, i, workers);
    if ((trace.operations[i] & 1) === 0) home[id] = worker;
    else end[id] = worker === home[id] ? FREED_AT_HOME : FREED_ELSEWHERE;
  }
  return { home, end };
}

function sumRemote(trace: Trace, deal: Deal): Plan["remote"] {
  const remote = { objects: 0, bytes: 0 };
  for (let id = 0; id < deal.end.length; id++) {
    if (deal.end[id] !== FREED_ELSEWHERE) continue;
    remote.objects++;
    remote.bytes += trace.sizes[id];
  }
  return remote;
}

function countOperations(trace: Trace, deal: Deal, workers: number) {
  const operations = new Array<number>(workers).fill(0);
  const allocations = new Array<number>(workers).fill(0);
  for (let i = 0; i < trace.operations.length; i++) operations[workerOf(trace, i, workers)]++;
  for (let id = 0; id < deal.home.length; id++) {
    allocations[deal.home[id]]++;
    if (deal.end[id] === KEPT) operations[deal.home[id]]++;
  }
  return { operations, allocations };
}

/** Returns the new id of each of the trace's, and fills in the sizes under the new ones. */
function renumber(trace: Trace, deal: Deal, allocations: readonly number[], sizes: Uint32Array): Uint32Array {
  const place = new Uint32Array(trace.sizes.length);
  const next: number[] = [];
  let first = 0;
  for (const count of allocations) {
    next.push(first);
    first += count;
  }
  for (let id = 0; id < place.length; id++) {
    place[id] = next[deal.home[id]]++;
    sizes[place[id]] = trace.sizes[id];
  }
  return place;
}

function actOf(operation: number, end: number): number {
  const remote = end === FREED_ELSEWHERE ? 1 : 0;
  return ((operation & 1) === 0 ? ACT.alloc : ACT.free) + remote;
}

function sharedWords(count: number): Uint32Array {
  return new Uint32Array(new SharedArrayBuffer(count * 4));
}
