/** Garbage collections that came by themselves. */
import { constants, type PerformanceEntry, PerformanceObserver } from "node:perf_hooks";
import { setImmediate } from "node:timers/promises";

/** How many there were on this thread while `run` ran, other than those that it asked for. */
export async function countCollections(run: () => void): Promise<number> {
  const entries: PerformanceEntry[] = [];
  const observer = new PerformanceObserver((list) => void entries.push(...list.getEntries()));
  observer.observe({ entryTypes: ["gc"] });
  run();
  const end = performance.now();
  // the observer is told in the turns that follow, which makes garbage of its own
  await setImmediate();
  await setImmediate();
  observer.disconnect();
  return entries.filter((entry) => entry.startTime < end && !isAskedFor(entry)).length;
}

function isAskedFor(entry: PerformanceEntry): boolean {
  // a property that entries of garbage collections have, and the types do not know
  const { detail } = entry as PerformanceEntry & { detail: { flags: number } };
  return (detail.flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !== 0;
}
