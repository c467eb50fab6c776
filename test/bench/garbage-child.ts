/**
 * Runs a workload of the benchmarks on a subject and prints how often the garbage collector ran meanwhile. Needs
 * --expose-gc. Arguments: workload, subject.
 */
import { argv } from "node:process";
import { workloadNamed } from "../../bench/workloads/list.ts";
import { OPERATIONS_STEP } from "../../bench/workloads/workload.ts";
import { collectionsOnceWarm } from "../support/garbage.ts";

const WARM_UP_STEPS = 1000;
const STEPS = 1000;

const [workload = "", subject = ""] = argv.slice(2);
const contestant = workloadNamed(workload)?.contestants.find(({ name }) => name === subject);
if (contestant === undefined) throw new Error(`${workload} on ${subject}?`);
const race = await contestant.begin();

function run(steps: number): void {
  for (let i = 0; i < steps; i++) race.subject(OPERATIONS_STEP);
}

const collections = await collectionsOnceWarm(
  () => run(WARM_UP_STEPS),
  () => run(STEPS),
);
race.end();
console.log(collections);
