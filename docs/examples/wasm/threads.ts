/**
 * Two threads run the same WebAssembly module over the same memory. Each builds a binary tree with our malloc, then
 * sums and frees the one that the other has built.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { SharedHeap } from "sharedheap";
import { addressOf, compile, createHeap, instantiate, offsetOf, type Trees } from "./trees.ts";

const LEVELS = 12;
const NODES = 2 ** LEVELS - 1;
/** The keys are 1 to NODES. */
const SUM = (NODES * (NODES + 1)) / 2;

/** Roots hold offsets, as everything does that belongs to the heap. */
function build(heap: SharedHeap, trees: Trees, name: string): void {
  heap.roots.set(name, offsetOf(trees.build(LEVELS, 1)));
}

function sumAndDrop(heap: SharedHeap, trees: Trees, name: string): void {
  const tree = addressOf(heap.roots.get(name));
  assert.equal(trees.sum(tree), SUM);
  trees.drop(tree);
}

/** Objects of malloc that somebody has, on any thread. */
function nodesOut(heap: SharedHeap): number {
  const malloc = heap.stats().allocators.find(({ name }) => name === "malloc");
  return malloc === undefined ? 0 : malloc.taken - malloc.listed;
}

async function main(): Promise<void> {
  const { memory, heap } = createHeap(2);
  const module = await compile();
  const worker = new Worker(new URL(import.meta.url), { workerData: { module, memory, token: heap.token } });
  const ready = once(worker, "message");
  const trees = instantiate(module, memory, heap);
  build(heap, trees, "main's");
  await ready;
  assert.equal(nodesOut(heap), 2 * NODES);
  worker.postMessage("built");
  const exit = once(worker, "exit");
  sumAndDrop(heap, trees, "worker's");
  await exit;

  heap.checkInvariants();
  assert.equal(nodesOut(heap), 0);
  heap.detach();
}

async function other(): Promise<void> {
  const { module, memory, token } = workerData;
  const heap = SharedHeap.attach(token, { name: "worker" });
  const trees = instantiate(module, memory, heap);
  assert.ok(parentPort);
  const built = once(parentPort, "message");
  build(heap, trees, "worker's");
  parentPort.postMessage("built");
  await built;
  sumAndDrop(heap, trees, "main's");
  heap.detach();
}

if (isMainThread) await main();
else await other();
