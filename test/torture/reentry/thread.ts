/** A thread of the fuzz. */
import { parentPort, workerData } from "node:worker_threads";
import { loadLibrary } from "../rcu/library.ts";
import { Fuzzer } from "./fuzzer.ts";
import type { Job, Tally } from "./job.ts";

const PIECE = 1000;

async function fuzz(job: Job): Promise<Tally> {
  const { SharedHeap } = await loadLibrary(job.library);
  using heap = SharedHeap.attach(job.token, { name: `fuzz ${job.thread}`, turns: false });
  const fuzzer = new Fuzzer(heap, job);
  const { tally } = fuzzer;
  const made = () => tally.byDepth.reduce((sum, count) => sum + count, 0);
  for (let total = 0; total < job.operations; total = made()) {
    for (let i = 0; i < PIECE; i++) fuzzer.step();
    Atomics.store(job.progress, job.thread, Math.floor(total / 1000));
  }
  fuzzer.finish();
  return tally;
}

parentPort?.postMessage(await fuzz(workerData as Job));
