export {
  type FaultSite,
  type Geometry,
  type HeapToken,
  HeapView,
  type Roots,
  SharedHeapError,
  type SharedHeapErrorCode,
} from "./arena/index.ts";
export type { AuditBooks, AuditOptions, AuditReport, InHand, PageRun } from "./audit/index.ts";
export type { Context, CpuInfo, IrqWorkMode } from "./cpu/index.ts";
export type { DebugStats } from "./debug/index.ts";
export type { FaultInjection, FaultOptions } from "./fault-injection.ts";
export { SharedHeap } from "./heap.ts";
export {
  type AllocatorStats,
  type CpuStats,
  type GroupStats,
  type HeapStats,
  type IsolationReport,
  isolationReport,
  type Leak,
  type LeaksOptions,
  type OwnerOfObjects,
  type RcuStats,
  type SlabStats,
} from "./inspect/index.ts";
export type { Destroyed, Destructor, MemAlloc, MemCache, OwnedCache } from "./memalloc/index.ts";
export type { Memcg, MemcgOptions } from "./memcg-api.ts";
export { GFP_ACCOUNT, GFP_KERNEL, GFP_ZERO, type KmemCache, type KmemCacheOptions } from "./mm/index.ts";
export type {
  AttachOptions,
  CreateOptions,
  MemAllocOptions,
  MemCacheOf,
  MemCacheOptions,
} from "./options.ts";
export type { PercpuApi } from "./percpu-api.ts";
export type { PerCpuCounter } from "./percpu-counter.ts";
export type { PercpuObjects } from "./percpu-objects.ts";
export {
  type RcuApi,
  rcuAssignPointer,
  rcuDereference,
  type TasksTraceApi,
  type TraceSection,
} from "./rcu-api.ts";
export type { Stall } from "./stalls.ts";
export type { TraceHandler, TraceOptions, TracepointName, TracepointsApi } from "./trace-api.ts";
export type { BrowserWorker, ReapOptions, WatchedWorker } from "./watch.ts";
