/**
 * One process measures one subject: V8 specialises code by what ran before, so a loop that has seen
 * another allocator is another loop. Arguments: workload, subject, rounds. Answers with the samples.
 */
import { argv } from "node:process";
import { SharedHeap } from "sharedheap";
import { measure } from "./measure.ts";
import { referenceLoop } from "./reference.ts";
import { SUBJECTS } from "./subjects.ts";
import { workloadNamed } from "./workloads/list.ts";

const [workloadName = "", subjectName = "", rounds = "1"] = argv.slice(2);
const workload = workloadNamed(workloadName);
const kind = SUBJECTS.find(({ name }) => name === subjectName);
if (workload === undefined || kind === undefined) throw new Error(`${workloadName} on ${subjectName}?`);

const heap = SharedHeap.create();
const loop = workload.prepare(kind.open(heap, workload.size ?? 0), heap.i32);
const samples = measure(referenceLoop(), loop, Number(rounds));
// a failed allocation returns 0, and the loop has then written into the heap's header
heap.checkInvariants();
process.send?.(samples);
