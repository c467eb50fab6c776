/**
 * One process measures one subject on one workload. Arguments: workload, subject, threads, milliseconds of a round,
 * maybe UNCHECKED.
 */
import { argv } from "node:process";
import { SharedHeap } from "sharedheap";
import { runCrew } from "#src/cli/crew.js";
import { UNCHECKED } from "../answer.ts";
import { newControl } from "../threads/control.ts";
import { type Answer, type Job, type Measured, ROUNDS, timeOf } from "./job.ts";
import { PARALLEL, SCALED } from "./workloads.ts";

const HEAP_BYTES = 512 * 2 ** 20;

const [name = "", subject = "", ...numbers] = argv.slice(2);
const [threads = 1, ms = 1] = numbers.map(Number);
const isChecked = !argv.includes(UNCHECKED);
const workload = [...PARALLEL, ...SCALED].find((each) => each.name === name);
if (workload === undefined) throw new Error(`${name}?`);

const heap = SharedHeap.create({ bytes: HEAP_BYTES, maxCpus: threads + 1 });
const common = {
  token: heap.token,
  workload: name,
  subject,
  threads,
  control: newControl(threads),
  begun: new BigInt64Array(new SharedArrayBuffer(8 * (1 + ROUNDS))),
  words: new Int32Array(new SharedArrayBuffer(4 * workload.words(threads))),
  ms,
};
const jobs = Array.from({ length: threads }, (_, thread): Job => ({ ...common, thread }));
const answers = await runCrew<Job, Answer>(new URL("./worker.js", import.meta.url), jobs);
// a failed allocation returns 0, and a loop has then written into the heap's header
if (isChecked) heap.checkInvariants();
if (isChecked && workload.alone === undefined) {
  // what one thread allocated has been freed by some thread
  const out = heap.stats().allocators.filter(({ taken, listed }) => taken !== listed);
  if (out.length > 0) throw new Error(`${name} on ${subject}: not all objects were freed`);
}

const times = Array.from({ length: ROUNDS }, (_, round) => timeOf(answers.map(({ parts }) => parts[round])));
process.send?.({ times } satisfies Measured);
