/**
 * Three threads walk along a list while a fourth replaces its elements. Nobody waits for anybody: readers mark a
 * section, and `freeRcu` lets no element be used again before those who may be at it have left theirs.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { SharedHeap } from "sharedheap";
import { LENGTH, List } from "./list.ts";

const REPLACEMENTS = 50_000;

async function write(): Promise<void> {
  const heap = SharedHeap.create({ bytes: 16 * 2 ** 20, maxCpus: 4 });
  const list = new List(heap);
  const readers = [1, 2, 3].map(() => new Worker(new URL(import.meta.url), { workerData: heap.token }));
  await Promise.all(readers.map((reader) => once(reader, "message"))); // all are there
  for (let i = 0; i < REPLACEMENTS; i++) {
    const old = list.replace((i * 7) % LENGTH);
    list.elements.freeRcu(old);
  }
  const walks = Promise.all(readers.map((reader) => once(reader, "message")));
  const ends = Promise.all(readers.map((reader) => once(reader, "exit")));
  list.finish();
  for (const [count] of await walks) assert.ok(count > 0);
  await ends;

  heap.poll(); // without readers all that was freed comes back
  const elements = heap.stats().allocators.find(({ name }) => name === "elements");
  assert.ok(elements);
  assert.equal(elements.taken - elements.listed, LENGTH);
  assert.deepEqual(heap.verify(), []);
  heap.detach();
}

function read(): void {
  const heap = SharedHeap.attach(workerData, { name: "reader" });
  const list = new List(heap);
  parentPort?.postMessage("ready");
  let walks = 0;
  do {
    using _section = heap.rcu.read();
    let place = 0;
    for (const p of list.walk()) list.check(p, place++);
    assert.equal(place, LENGTH);
    walks++;
  } while (!list.isDone);
  heap.detach();
  parentPort?.postMessage(walks);
}

if (isMainThread) await write();
else read();
