/** What is wrong with a run in which nobody found anything. */
import type { Counts } from "./counters.ts";
import { MAX_RATIO, type MemoryReport } from "./memory.ts";

/** Fewer of these for each second asked for, and the run shows nothing. */
const LEAST_PER_SECOND = 20;

/** What has not happened often enough in a run of so many seconds. */
export function findTooFew(seconds: number, counts: Counts): string[] {
  const least = Math.floor(LEAST_PER_SECOND * seconds);
  return (["reusedUnderReader", "throughSlabUnderReader", "asyncReads"] as const)
    .filter((name) => counts[name] < least)
    .map((name) => `${name} is ${counts[name]}, less than ${least}: too few to mean anything`);
}

export function findWeaknesses(seconds: number, counts: Counts, memory: MemoryReport): string[] {
  const problems = findTooFew(seconds, counts);
  if (counts.nulls > 0)
    problems.push(`${counts.nulls} allocations failed: the heap filled up with what waits for grace periods`);
  if (memory.isJudged && memory.ratio > MAX_RATIO)
    problems.push(
      `memory grows: a second's peak is ${memory.early.average.toFixed(0)} pages on average early on, ` +
        `${memory.late.average.toFixed(0)} in the end, ${memory.ratio.toFixed(2)} times as many; ${MAX_RATIO} is allowed`,
    );
  return problems;
}
