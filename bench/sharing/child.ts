/** Counts transfers. Arguments: operations of each CPU, and the numbers of CPUs. Needs the condition "check". */
import { argv } from "node:process";
import { sharingOf } from "./crew.ts";
import { SHARING_WORKLOADS } from "./workloads.ts";

const [perCpu, ...counts] = argv.slice(2).map(Number);
const results = SHARING_WORKLOADS.flatMap((workload) =>
  counts.map((cpus) => sharingOf(workload, cpus, perCpu)),
);
process.send?.(results);
