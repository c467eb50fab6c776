export { type IsolationReport, isolationReport } from "./isolation.ts";
export { type Leak, type LeaksOptions, leaks, type OwnerOfObjects } from "./leaks.ts";
export {
  type AllocatorStats,
  type CpuStats,
  type GroupStats,
  type HeapStats,
  type RcuStats,
  type SlabStats,
  stats,
} from "./stats.ts";
export { chainsOf, type System, slabCaches } from "./system.ts";
export { verify } from "./verify.ts";
