/**
 * One process measures one subject on one workload. Arguments: workload, subject, threads, milliseconds, the
 * readers' pause, the time between two looks at the heap, maybe UNCHECKED. Starts the threads, looks at the heap while they are timed,
 * and answers with a `Measured`.
 */
import { argv } from "node:process";
import { SharedHeap } from "sharedheap";
import { runCrew } from "#src/cli/crew.js";
import { UNCHECKED } from "../answer.ts";
import { isTimed, newControl } from "./control.ts";
import { SUBJECTS } from "./elements.ts";
import { type Answer, type Job, type Look, type Measured, SLOTS } from "./job.ts";

const HEAP_BYTES = 512 * 2 ** 20;

const [workload = "", subjectName = "", ...numbers] = argv.slice(2);
const [threads = 1, ms = 1, pauseMs = 0, lookMs = 1] = numbers.map(Number);
const subject = SUBJECTS.find(({ name }) => name === subjectName);
if (subject === undefined) throw new Error(`${subjectName}?`);

const all = threads + subject.readers;
const heap = SharedHeap.create({ bytes: HEAP_BYTES, maxCpus: all + 1 });
const control = newControl(all);
const slots = heap.kmalloc(threads * SLOTS * 4);
heap.u32.fill(0, slots >>> 2, (slots >>> 2) + threads * SLOTS);

const looks: Look[] = [];
function look(): void {
  const { pages, rcu } = heap.stats();
  looks.push({ pages: pages.held, waitingBytes: rcu.waitingBytes });
}
const sampler = setInterval(() => {
  if (isTimed(control)) look();
}, lookMs);

const common = { token: heap.token, workload, subject: subjectName, threads, slots, control, ms, pauseMs };
const jobs = Array.from({ length: all }, (_, thread): Job => ({ ...common, thread }));
const answers = await runCrew<Job, Answer>(new URL("./worker.js", import.meta.url), jobs);
clearInterval(sampler);
if (looks.length === 0) look(); // a very short run
const peakPages = heap.stats().pages.peak;
if (!argv.includes(UNCHECKED)) heap.checkInvariants();

const rates = answers.flatMap(({ rate }) => (rate === undefined ? [] : [rate]));
const rate = rates.reduce((sum, each) => sum + each, 0) / rates.length;
process.send?.({ rate, looks, peakPages } satisfies Measured);
