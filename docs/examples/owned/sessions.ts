/**
 * Workers keep sessions in one heap, and are terminated in the middle of it. The main thread watches them, and takes back
 * what each one had; a session that had been handed to the main thread before is copied first.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { SharedHeap } from "sharedheap";

const SESSION = { name: "sessions", size: 120, owned: true } as const;
const SESSIONS = 1000;

async function main(): Promise<void> {
  const heap = SharedHeap.create({ bytes: 8 * 2 ** 20, maxCpus: 4 });
  const sessions = heap.memCache(SESSION);
  const mine = sessions.alloc();
  let back = 0;
  const workers = ["red", "green", "blue"].map((name) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { token: heap.token, name } });
    heap.watch(worker, ({ cpu, generation }) => {
      back += sessions.reclaim(cpu, generation);
    });
    return worker;
  });
  const offsets = await Promise.all(workers.map(async (worker) => (await once(worker, "message"))[0]));

  const [{ owners = [] }] = heap.leaks({ first: 1 });
  for (const { name, cpu, objects } of owners)
    console.log(`${name || "main"}, CPU ${cpu}: ${objects} sessions`);
  // what a thread gave away goes with it: what is to stay is the program's to copy
  heap.u8.copyWithin(mine, offsets[0], offsets[0] + SESSION.size);

  await Promise.all(workers.map((worker) => worker.terminate()));
  console.log(`taken back: ${back} sessions`);
  assert.equal(back, 3 * SESSIONS);
  assert.equal(heap.u32[mine >>> 2], 7);
  assert.deepEqual(
    heap.leaks().map(({ objects }) => objects),
    [1],
  );
  sessions.free(mine);
  heap.checkInvariants();
  heap.detach();
}

/** A worker: opens sessions, says where the first one is, and never ends one. */
function serve(): void {
  const heap = SharedHeap.attach(workerData.token, { name: workerData.name });
  const sessions = heap.memCache(SESSION);
  const open = Array.from({ length: SESSIONS }, () => sessions.alloc());
  heap.u32[open[0] >>> 2] = 7;
  parentPort?.postMessage(open[0]);
  setInterval(() => {}, 1000);
}

if (isMainThread) await main();
else serve();
