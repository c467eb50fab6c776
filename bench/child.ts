/**
 * One process measures one subject: V8 specialises code by what ran before, so a loop that has seen
 * another allocator is another loop. Arguments: workload, subject, rounds, and whether the end is checked. Answers with the samples.
 */
import { argv } from "node:process";
import { measure } from "./measure.ts";
import { workloadNamed } from "./workloads/list.ts";

const [workload = "", subject = "", rounds = "1", check = "checked"] = argv.slice(2);
const contestant = workloadNamed(workload)?.contestants.find(({ name }) => name === subject);
if (contestant === undefined) throw new Error(`${workload} on ${subject}?`);

const race = await contestant.begin();
const samples = measure(race.reference, race.subject, Number(rounds));
if (check === "checked") race.end();
process.send?.(samples);
