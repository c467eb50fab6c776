/** A thread that queues jobs and runs its own and other threads'. */
import { parentPort, workerData } from "node:worker_threads";
import { Memblock } from "#src/arena/index.js";
import { Workqueue } from "#src/cpu/index.js";
import { type Meeting, meet } from "../support/threads.ts";

interface Job extends Meeting {
  readonly words: Int32Array;
  /** How often each job was run: one for each argument. */
  readonly counts: Int32Array;
  readonly cpu: number;
  readonly each: number;
}

/** How many jobs this thread ran. Returns once all threads' jobs have been. */
function work({ words, counts, cpu, each, ...meeting }: Job): number {
  const queue = new Workqueue(words, new Memblock(16), [(argument) => Atomics.add(counts, argument, 1)]);
  let ran = 0;
  meet(meeting);
  for (let i = 0; i < each; i++) {
    while (!queue.queue(cpu, 0, cpu * each + i)) ran += queue.run(cpu);
    if (i % 16 === 0) ran += queue.run(cpu);
  }
  return ran + queue.run(cpu);
}

parentPort?.postMessage(work(workerData as Job));
