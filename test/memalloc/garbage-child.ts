/** Runs a workload and prints, as JSON, what the garbage collector had to do meanwhile. Needs --expose-gc. */
import { SharedHeap } from "sharedheap";
import { collectionsOnceWarm } from "../support/garbage.ts";

const PAIRS = 10_000_000;
const HELD = 1024;

const heap = SharedHeap.create({ bytes: 64 * 2 ** 20, maxCpus: 2 });
const any = heap.memAlloc({ name: "any" });
const fixed = heap.memCache({ name: "fixed", size: 64 });
const other = SharedHeap.attach(heap.token).memAlloc({ name: "any" });
const held = new Int32Array(HELD);
let kept: unknown;

const workloads: Record<string, (pairs: number) => void> = {
  any(pairs) {
    for (let i = 0; i < pairs; i++) any.free(any.alloc(64));
  },
  fixed(pairs) {
    for (let i = 0; i < pairs; i++) fixed.free(fixed.alloc());
  },
  /** Sizes of all buckets, hundreds of objects out at a time: with refills and trims. */
  mixed(pairs) {
    let random = 1;
    for (let i = 0; i < pairs; i++) {
      random = (Math.imul(random, 1103515245) + 12345) | 0;
      const at = (random >>> 12) % HELD;
      any.free(held[at]);
      held[at] = any.alloc(1 + ((random >>> 8) % (i % 8 === 0 ? 4088 : 300)));
    }
    for (let at = 0; at < HELD; at++) {
      any.free(held[at]);
      held[at] = 0;
    }
  },
  /** Allocated on one CPU and freed on another. */
  moving(pairs) {
    for (let i = 0; i < pairs; i++) other.free(any.alloc(64));
  },
  nested(pairs) {
    const inside = () => any.free(any.alloc(64));
    for (let i = 0; i < pairs; i++) heap.context.nmi(inside);
  },
  /** Read sections of both kinds, nested. */
  sections(pairs) {
    for (let i = 0; i < pairs; i++) {
      heap.rcu.readLock();
      const phase = heap.rcu.tasksTrace.lock();
      heap.rcu.readLock();
      heap.rcu.readUnlock();
      heap.rcu.tasksTrace.unlock(phase);
      heap.rcu.readUnlock();
    }
  },
  /** Freed with freeRcu, on either CPU, which drives grace periods and runs callbacks. */
  "free-rcu"(pairs) {
    for (let i = 0; i < pairs; i += 3) {
      any.freeRcu(any.alloc(64));
      fixed.freeRcu(fixed.alloc());
      other.freeRcu(any.alloc(64));
    }
  },
  /** With readers that come and go. */
  "free-rcu-readers"(pairs) {
    for (let i = 0; i < pairs; i += 2) {
      heap.rcu.readLock();
      any.freeRcu(any.alloc(64));
      other.freeRcu(any.alloc(300));
      heap.rcu.readUnlock();
    }
  },
  polls(pairs) {
    for (let i = 0; i < pairs; i += 10) {
      if (i % 40 === 0) fixed.freeRcu(fixed.alloc());
      heap.poll();
    }
  },
  /** Makes an object of two numbers in each round: what the others must not do. */
  control(pairs) {
    for (let i = 0; i < pairs; i++) kept = { round: i, before: i - 1 };
  },
};

async function measure(name: string): Promise<void> {
  const run = workloads[name];
  let bytes = 0;
  const collections = await collectionsOnceWarm(
    () => run(PAIRS / 10),
    () => {
      const before = process.memoryUsage().heapUsed;
      run(PAIRS);
      bytes = process.memoryUsage().heapUsed - before;
    },
  );
  console.log(JSON.stringify({ collections, bytes, problems: heap.verify(), kept: kept !== undefined }));
}

await measure(process.argv[2]);
