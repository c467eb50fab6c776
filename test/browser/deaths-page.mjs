// Threads that end without a word, on a page: what deaths.test.ts asks for.

import * as library from "../../dist/index.js";
import { torture } from "./deaths-torture.mjs";
import { equal, ok } from "./expect.mjs";

const { SharedHeap } = library;
const MIB = 2 ** 20;
/** Longer than several looks of a watcher. */
const IDLE_MS = 2000;

globalThis.deaths = {
  async "a thread that is idle for long is not reaped, one that detaches neither"() {
    const { heap, reaped } = watched(4);
    const idle = await attached(heap, "idle");
    await pause(IDLE_MS);
    const leaving = await attached(heap, "idle");
    leaving.postMessage("detach");
    await until(() => heap.cpus()[2].state === "free");
    await pause(IDLE_MS / 2);
    equal(heap.cpus()[1].state, "online", "the idle CPU");
    equal(reaped.length, 0, "reaped");
    idle.terminate();
    await until(() => reaped.length === 1);
    finish(heap);
  },

  async "one that was terminated while it was idle is"() {
    const { heap, reaped } = watched(3);
    const worker = await attached(heap, "idle");
    worker.terminate();
    await until(() => reaped.length === 1);
    equal(reaped[0].name, "idle", "the thread");
    equal(heap.cpus()[1].state, "free", "its CPU");
    finish(heap);
  },

  async "one that was terminated while it was busy is, once it has ended: its CPU is used again"() {
    const { heap, reaped } = watched(3);
    const worker = await attached(heap, "busy");
    worker.terminate();
    await until(() => reaped.length === 1);
    const next = await attached(heap, "idle");
    equal(heap.cpus()[1].generation, 2, "the generation");
    next.terminate();
    await until(() => reaped.length === 2);
    finish(heap);
  },

  async "two watchers: one of them reaps; a watch that was ended does not"() {
    const heap = SharedHeap.create({ bytes: 8 * MIB, maxCpus: 4 });
    const other = SharedHeap.attach(heap.token);
    let told = 0;
    heap.watch(undefined, () => told++);
    other.watch(undefined, () => told++);
    const third = SharedHeap.attach(heap.token);
    third.watch(undefined, () => told++);
    third.detach();
    heap.watch(undefined, () => told++)();
    const worker = await attached(heap, "busy");
    worker.terminate();
    await until(() => told === 1);
    await pause(IDLE_MS / 2);
    equal(told, 1, "told");
    other.detach();
    finish(heap);
  },

  async "a thread that has no lock yet is not judged, and holds its CPU until it is reaped by hand"() {
    const { heap, reaped } = watched(3);
    const worker = new Worker(new URL("./deaths-worker.mjs", import.meta.url), { type: "module" });
    worker.postMessage({ token: heap.token, kind: "never turns" });
    await until(() => heap.cpus()[1].state === "online");
    worker.terminate();
    await pause(2 * IDLE_MS);
    equal(reaped.length, 0, "reaped");
    ok(heap.reap(1, { surelyGone: true }), "reaped by hand");
    finish(heap);
  },

  async "no lock is left when all have detached"() {
    const heap = SharedHeap.create({ bytes: 8 * MIB, maxCpus: 3 });
    const other = SharedHeap.attach(heap.token);
    await until(async () => (await locksHeld()) === 2);
    other.detach();
    heap.detach();
    await until(async () => (await locksHeld()) === 0);
  },
};

globalThis.torture = (options) => torture(library, options);

function watched(maxCpus) {
  const heap = SharedHeap.create({ bytes: 8 * MIB, maxCpus });
  const reaped = [];
  heap.watch(undefined, (info) => reaped.push(info));
  return { heap, reaped };
}

/** A worker that has attached, and has its lock. */
async function attached(heap, kind) {
  const worker = new Worker(new URL("./deaths-worker.mjs", import.meta.url), { type: "module" });
  worker.onerror = ({ message }) => console.error(`the worker: ${message}`);
  worker.postMessage({ token: heap.token, kind });
  await new Promise((resolve) => {
    worker.onmessage = resolve;
  });
  return worker;
}

async function locksHeld() {
  const { held } = await navigator.locks.query();
  return held.filter(({ name }) => name.startsWith("sharedheap")).length;
}

function finish(heap) {
  for (let i = 0; i < 20; i++) heap.poll();
  heap.detach();
}

async function until(isSo) {
  while (!(await isSo())) await pause(20);
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
