/**
 * One process measures one subject: V8 specialises code by what ran before, so a loop that has seen
 * another allocator is another loop. Arguments: workload, subject, rounds, maybe UNCHECKED.
 * Answers with the samples.
 */
import { argv } from "node:process";
import { UNCHECKED } from "./answer.ts";
import { measure } from "./measure.ts";
import { workloadNamed } from "./workloads/list.ts";

const [workload = "", subject = "", rounds = "1"] = argv.slice(2);
const contestant = workloadNamed(workload)?.contestants.find(({ name }) => name === subject);
if (contestant === undefined) throw new Error(`${workload} on ${subject}?`);

const race = await contestant.begin();
const samples = measure(race.reference, race.subject, Number(rounds));
if (!argv.includes(UNCHECKED)) race.end();
process.send?.(samples);
