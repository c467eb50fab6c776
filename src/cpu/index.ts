export { Context } from "./context-api.ts";
export {
  CRITICAL_SHIFT,
  contextDepth,
  enterContext,
  HARDIRQ_SHIFT,
  inTask,
  leaveContext,
  MAX_NESTING,
  NMI_SHIFT,
  SOFTIRQ_SHIFT,
} from "./contexts.ts";
export { Cpu, type DeferredWork, type IrqWorkMode, NOT_CLAIMED, TAKEN_OVER } from "./cpu.ts";
export { type CpuInfo, Cpus } from "./cpus.ts";
export { checkCpus } from "./invariants.ts";
export { IrqWork, type WorkHandler } from "./irq-work.ts";
export { PercpuAreas } from "./percpu-areas.ts";
export { type Probe, Tracepoints } from "./tracepoints.ts";
