/** A thread that takes and gives back a CPU, of fewer than there are threads. */
import { parentPort, workerData } from "node:worker_threads";
import { Memblock, SharedHeapError } from "#src/arena/index.js";
import { Cpus } from "#src/cpu/index.js";
import { type Meeting, meet } from "../support/threads.ts";

interface Job extends Meeting {
  readonly words: Int32Array;
  /** Who has each CPU, by the threads' own account. */
  readonly owners: Int32Array;
  readonly id: number;
  readonly rounds: number;
}

/** How often the thread got a CPU. */
function work({ words, owners, id, rounds, ...meeting }: Job): number {
  const cpus = new Cpus(words, owners.length, new Memblock(16));
  let attached = 0;
  meet(meeting);
  for (let round = 0; round < rounds; round++) {
    const cpu = tryAttach(cpus, `thread ${id}`);
    if (cpu < 0) continue;
    attached++;
    if (Atomics.exchange(owners, cpu, id) !== 0) throw new Error(`CPU ${cpu} was another thread's`);
    cpus.beginDetach(cpu);
    if (Atomics.exchange(owners, cpu, 0) !== id) throw new Error(`CPU ${cpu} was taken away`);
    cpus.finishDetach(cpu);
  }
  return attached;
}

function tryAttach(cpus: Cpus, name: string): number {
  try {
    return cpus.attach(name);
  } catch (error) {
    if (error instanceof SharedHeapError && error.code === "full") return -1;
    throw error;
  }
}

parentPort?.postMessage(work(workerData as Job));
