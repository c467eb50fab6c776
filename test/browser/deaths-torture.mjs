// As `npm run torture -- --kill`, in a browser: threads die under load, while others go on. What they do is the same code.

import { Board, newBoard } from "../../build/test/torture/kill/board.js";
import { Estates } from "../../build/test/torture/kill/estates.js";
import { Journal, newJournal } from "../../build/test/torture/kill/journal.js";
import { openPools } from "../../build/test/torture/kill/pools.js";

const MIB = 2 ** 20;
/** Threads that are there to die at a time: a browser lets some run on for two seconds. */
const VICTIMS = 6;
const LIFE_MS = 100;
/** A thread that is not reaped after so long never will be. */
const LATE_MS = 60_000;
/** Polls after which everything has gone through its grace periods. */
const POLLS = 200;

/** Returns what is wrong, and what was seen. */
export async function torture({ SharedHeap }, { deaths, seed }) {
  const heap = SharedHeap.create({ bytes: 256 * MIB, maxCpus: 2 + VICTIMS, maxNames: 1024, name: "page" });
  const board = new Board(newBoard());
  const estates = new Estates(heap, openPools(heap));
  const failures = [];
  const reaped = new Map();
  heap.watch(undefined, ({ name, generation }) => reaped.set(name, generation));
  const start = (thread, role) => {
    const journal = newJournal();
    const worker = new Worker(new URL("./deaths-victim.mjs", import.meta.url), { type: "module" });
    const said = new Set();
    worker.onmessage = ({ data: { error, word } }) => {
      if (error) failures.push(`${role} ${thread}: ${error}`);
      said.add(word);
    };
    worker.onerror = ({ message }) => failures.push(`${role} ${thread}: ${message}`);
    const job = { token: heap.token, thread, seed: seed + thread, journal, board: board.words };
    worker.postMessage({ role, job });
    const hears = (word) => until(() => said.has(word) || failures.length > 0);
    return { worker, hears, journal: new Journal(journal) };
  };
  const survivor = start(0, "survivor");
  await survivor.hears("watched");
  let calls = 0;
  const kill = async (thread) => {
    const { worker, hears, journal } = start(thread, "victim");
    await hears("watched");
    await pause(Math.random() * LIFE_MS);
    worker.terminate();
    const late = performance.now() + LATE_MS;
    await until(() => reaped.has(`victim ${thread}`) || failures.length > 0 || performance.now() > late);
    if (!reaped.has(`victim ${thread}`)) failures.push(`victim ${thread} was not reaped`);
    calls += journal.calls;
    estates.add(journal);
  };
  let next = 1;
  const killAll = async () => {
    while (next <= deaths && failures.length === 0) await kill(next++);
  };
  await Promise.all(Array.from({ length: VICTIMS }, killAll));
  board.stop();
  await survivor.hears("detached");
  survivor.worker.terminate();
  const lying = board.takeAll().map((object) => ({ ...object, isStamped: true }));
  const held = [...survivor.journal.held, ...estates.held, ...lying];
  // throws if one of them is not what it was, or is free
  estates.free(held);
  for (let i = 0; i < POLLS; i++) heap.poll();
  const lost = heap.cpus().filter(({ cpu, state }) => cpu !== heap.cpu && state !== "free");
  const problems = heap.verify();
  const result = { failures, reaped: reaped.size, calls, survivorCalls: survivor.journal.calls };
  heap.detach();
  return { ...result, inherited: estates.freed, held: held.length, lost: lost.length, problems };
}

async function until(isSo) {
  while (!isSo()) await pause(20);
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
