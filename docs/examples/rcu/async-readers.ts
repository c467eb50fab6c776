/**
 * The same with readers that `await` on their way: a turn of the event loop may pass while they are at an element.
 * Their sections are those of tasks trace. `freeRcu` promises them no more than that an element stays an element; so
 * the writer keeps what it has replaced until `synchronize` says that all readers have moved on, and then frees it.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { SharedHeap } from "sharedheap";
import { LENGTH, List } from "./list.ts";

const ROUNDS = 20;
const READERS_PER_THREAD = 5;

async function write(): Promise<void> {
  const heap = SharedHeap.create({ bytes: 16 * 2 ** 20, maxCpus: 4 });
  const list = new List(heap);
  const readers = [1, 2, 3].map(() => new Worker(new URL(import.meta.url), { workerData: heap.token }));
  await Promise.all(readers.map((reader) => once(reader, "message"))); // all are there
  for (let round = 0; round < ROUNDS; round++) {
    const replaced = Array.from({ length: LENGTH }, (_, place) => list.replace(place));
    await heap.rcu.tasksTrace.synchronize();
    for (const p of replaced) list.elements.free(p);
  }
  const ends = Promise.all(readers.map((reader) => once(reader, "exit")));
  list.finish();
  for (const [code] of await ends) assert.equal(code, 0);

  const elements = heap.stats().allocators.find(({ name }) => name === "elements");
  assert.ok(elements);
  assert.equal(elements.taken - elements.listed, LENGTH);
  assert.deepEqual(heap.verify(), []);
  heap.detach();
}

/** Walks along the list, with a turn of the event loop at every third element. */
async function walk(heap: SharedHeap, list: List): Promise<void> {
  await using _section = heap.rcu.tasksTrace.enter();
  let place = 0;
  for (const p of list.walk()) {
    if (place % 3 === 0) await setImmediate();
    list.check(p, place++);
  }
  assert.equal(place, LENGTH);
}

async function read(): Promise<void> {
  const heap = SharedHeap.attach(workerData, { name: "reader" });
  const list = new List(heap);
  parentPort?.postMessage("ready");
  const reader = async (): Promise<void> => {
    do await walk(heap, list);
    while (!list.isDone);
  };
  await Promise.all(Array.from({ length: READERS_PER_THREAD }, reader));
  heap.detach();
}

if (isMainThread) await write();
else await read();
