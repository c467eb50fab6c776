/**
 * Three workers serve two tenants, whose sessions live in one heap. Each tenant has a group with a limit, in one for
 * both. The tenant that never ends a session gets NULL, and the other one does not notice.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { SharedHeap } from "sharedheap";

const KIB = 1024;
const REQUESTS = 20_000;
const SESSION_BYTES = 500;
/** Sessions that the modest tenant has open on each worker. */
const OPEN = 10;

async function main(): Promise<void> {
  const heap = SharedHeap.create({ bytes: 16 * KIB * KIB, maxCpus: 4 });
  const all = heap.memcg({ name: "all", max: 4 * KIB * KIB });
  const [greedy, modest] = ["greedy", "modest"].map((name) => {
    const group = heap.memcg({ name, max: 2 * KIB * KIB, parent: all });
    heap.memCache({ name: `${name} sessions`, size: SESSION_BYTES, memcg: group });
    return group;
  });
  const workers = [1, 2, 3].map(() => new Worker(new URL(import.meta.url), { workerData: heap.token }));
  const codes = await Promise.all(workers.map((worker) => once(worker, "exit")));
  assert.deepEqual(codes.flat(), [0, 0, 0]);

  for (const { name, peak, failures } of [greedy, modest])
    console.log(`${name}: ${Math.round(peak / KIB)} KiB at most, ${failures} requests refused`);
  assert.ok(greedy.failures > 0 && greedy.peak <= greedy.max);
  assert.equal(modest.failures, 0);
  assert.deepEqual(heap.verify(), []);
  heap.detach();
}

/** A worker: requests of both tenants in turn. */
function serve(): void {
  const heap = SharedHeap.attach(workerData);
  // made in their groups, and opened by their names
  const greedy = heap.memCache({ name: "greedy sessions", size: SESSION_BYTES });
  const modest = heap.memCache({ name: "modest sessions", size: SESSION_BYTES });
  const open: number[] = [];
  let wasTold = false;
  heap.memcg({ name: "greedy" }).onMax(() => {
    wasTold = true; // here a cache would drop something
  });
  for (let i = 0; i < REQUESTS; i++) {
    greedy.alloc();
    open.push(modest.alloc());
    if (open.length > OPEN) modest.free(open.shift() ?? 0);
  }
  for (const p of open) modest.free(p);
  assert.ok(wasTold);
  heap.detach();
}

if (isMainThread) await main();
else serve();
