/** A thread of owned-threads.test.ts. */
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { type HeapToken, SharedHeap } from "sharedheap";
import { type Meeting, meet } from "../support/threads.ts";

export const SIZE = 56;

export type OwnedJob =
  /** Allocates so many objects, says which CPU it is, and allocates and frees until it is terminated. */
  | { readonly kind: "victim"; readonly token: HeapToken; readonly keep: number }
  /** Allocates so many objects and says which, then waits to be terminated. */
  | { readonly kind: "giver"; readonly token: HeapToken; readonly count: number }
  /** Frees these objects, and says how many were there to be freed. */
  | ({ readonly kind: "free"; readonly token: HeapToken; readonly objects: readonly number[] } & Meeting)
  /** Reclaims what a thread had, and says how many objects that was. */
  | ({
      readonly kind: "reclaim";
      readonly token: HeapToken;
      readonly from: readonly [number, number];
    } & Meeting)
  /** Allocates and frees its own objects until the word is not 0. */
  | { readonly kind: "survivor"; readonly token: HeapToken; readonly stop: Int32Array };

/** Once all objects of its slab are free, there may be no object there any more. */
function isDoubleFree(error: unknown): boolean {
  return ["double-free", "bad-pointer"].includes((error as { code: string }).code);
}

function work(job: OwnedJob): void {
  const heap = SharedHeap.attach(job.token, { name: job.kind, turns: false });
  const cache = heap.memCache({ name: "owned", size: SIZE, owned: true });
  const say = (what: unknown) => parentPort?.postMessage(what);
  const alloc = (): number => {
    const p = cache.alloc();
    if (p !== 0) heap.u32[p >>> 2] = p;
    return p;
  };
  const free = (p: number, rcu: boolean): void => {
    if (p !== 0 && heap.u32[p >>> 2] !== p) throw new Error(`object ${p} was overwritten`);
    if (rcu) cache.freeRcu(p);
    else cache.free(p);
  };
  if (job.kind === "victim") {
    const objects = Array.from({ length: job.keep }, alloc);
    say(heap.cpu);
    for (let i = 0; ; i++) {
      objects.push(alloc());
      if (objects.length > job.keep) free(objects.splice((i * 7919) % objects.length, 1)[0], i % 3 === 0);
    }
  } else if (job.kind === "giver") {
    say({ cpu: heap.cpu, objects: Array.from({ length: job.count }, alloc) });
    setInterval(() => {}, 1000);
  } else if (job.kind === "free") {
    meet(job);
    let freed = 0;
    for (const p of job.objects) {
      try {
        cache.free(p);
        freed++;
      } catch (error) {
        if (!isDoubleFree(error)) throw error;
      }
    }
    heap.detach();
    say(freed);
  } else if (job.kind === "reclaim") {
    meet(job);
    const count = cache.reclaim(...job.from);
    heap.detach();
    say(count);
  } else {
    const objects: number[] = [];
    let rounds = 0;
    for (; Atomics.load(job.stop, 0) === 0; rounds++) {
      objects.push(alloc());
      if (objects.length > 500)
        free(objects.splice((rounds * 7919) % objects.length, 1)[0], rounds % 3 === 0);
    }
    for (const p of objects) free(p, false);
    heap.detach();
    say(rounds);
  }
}

if (!isMainThread) work(workerData as OwnedJob);
