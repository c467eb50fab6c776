/** Garbage collections that came by themselves. */
import { constants, type PerformanceEntry, PerformanceObserver } from "node:perf_hooks";
import { setImmediate } from "node:timers/promises";

/** How many there were on this thread while `run` ran, other than those that it asked for. */
export async function countCollections(run: () => void): Promise<number> {
  let collections = 0;
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!isAskedFor(entry)) collections++;
  });
  observer.observe({ entryTypes: ["gc"] });
  run();
  // the observer is told in the turns that follow
  await setImmediate();
  await setImmediate();
  observer.disconnect();
  return collections;
}

function isAskedFor(entry: PerformanceEntry): boolean {
  // a property that entries of garbage collections have, and the types do not know
  const { detail } = entry as PerformanceEntry & { detail: { flags: number } };
  return (detail.flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !== 0;
}
