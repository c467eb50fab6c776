/** What a replay's outcome comes to: the figures, and whether all is well. Also the shape of --json. */
import type { AllocatorName } from "./arguments.ts";
import type { Outcome } from "./replay.ts";

export interface Report {
  trace: string;
  alloc: AllocatorName;
  threads: number;
  repeat: number;
  heapBytes: number;
  /** All rounds, with the frees of what the trace leaves allocated. */
  operations: number;
  /** How many of the operations are such frees. */
  endFrees: number;
  seconds: number;
  operationsPerSecond: number;
  failedAllocations: number;
  corrupted: number;
  /** Objects still held after everything was freed. */
  lost: number;
  peakRequestedBytes: number;
  peakUnitBytes: number;
  peakHeldBytes: number;
  /** Null when nothing was held. */
  heldPerUnit: number | null;
  heldPerRequested: number | null;
  refills: number;
  trims: number;
  remoteFrees: number;
  /** Requests that malloc passed on to kmalloc because of their size. */
  largeRequests: number;
  /** The part of the operations that needed neither refill nor trim. */
  fastPathShare: number;
  /** The lines of heap.verify(). */
  problems: string[];
}

/** Works out the figures. */
export function makeReport(outcome: Outcome): Report {
  const { options, plan, tally, demand, before, after, seconds, heldBytes } = outcome;
  const operations = plan.total * options.repeat;
  const refills = after.refills - before.refills;
  const trims = after.trims - before.trims;
  return {
    trace: options.trace,
    alloc: options.alloc,
    threads: outcome.threads,
    repeat: options.repeat,
    heapBytes: outcome.heapBytes,
    operations,
    endFrees: plan.endFrees * options.repeat,
    seconds,
    operationsPerSecond: seconds > 0 ? Math.round(operations / seconds) : 0,
    failedAllocations: tally.failed,
    corrupted: tally.corrupted,
    lost: after.held - before.held,
    peakRequestedBytes: demand.requested,
    peakUnitBytes: demand.units,
    peakHeldBytes: heldBytes,
    heldPerUnit: ratio(heldBytes, demand.units),
    heldPerRequested: ratio(heldBytes, demand.requested),
    refills,
    trims,
    remoteFrees: tally.remoteFrees,
    largeRequests: options.alloc === "memalloc" ? tally.largeRequests : 0,
    fastPathShare: 1 - (refills + trims) / operations,
    problems: outcome.problems,
  };
}

/** What went wrong, a line each; empty when all is well. Failed allocations are no fault of the allocator's. */
export function faultsOf(report: Report): string[] {
  const faults: string[] = [];
  if (report.corrupted > 0) faults.push(`${report.corrupted} corrupted objects`);
  if (report.lost !== 0) faults.push(`${report.lost} lost objects`);
  if (report.problems.length > 0) faults.push(`${report.problems.length} broken invariants`);
  return faults;
}

function ratio(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}
