/** Drops heaps without detaching, and prints how many of them were collected: all but the one that still works. Needs --expose-gc. */
import { setTimeout } from "node:timers/promises";
import { SharedHeap } from "sharedheap";

const HEAPS = 4;
let collected = 0;
const registry = new FinalizationRegistry(() => collected++);

/** Uses a heap in all ways that leave something pending, and drops it. */
function useAndDrop(): void {
  const heap = SharedHeap.create({ bytes: 2 ** 20, maxCpus: 2 });
  const pool = heap.memCache({ name: "fixed", size: 56 });
  for (let i = 0; i < 200; i++) pool.freeRcu(pool.alloc());
  heap.rcu.call(() => {});
  void heap.rcu.synchronize();
  void heap.rcu.tasksTrace.barrier();
  registry.register(heap, undefined);
}

const kept = SharedHeap.create({ bytes: 2 ** 20, maxCpus: 2 });
registry.register(kept, undefined);
for (let i = 0; i < HEAPS; i++) useAndDrop();
for (let tries = 0; collected < HEAPS && tries < 100; tries++) {
  await setTimeout(20);
  globalThis.gc?.();
}
let ran = false;
kept.rcu.call(() => {
  ran = true;
});
for (let tries = 0; !ran && tries < 100; tries++) await setTimeout(20);
console.log(JSON.stringify({ collected, ran }));
