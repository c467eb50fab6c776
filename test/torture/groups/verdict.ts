/** What is wrong with a run in which nobody found anything. */
import type { Counter, Counts } from "./counters.ts";

/** Fewer of these for each second asked for, and the run shows nothing. */
const LEAST_PER_SECOND: Partial<Record<Counter, number>> = {
  made: 200,
  freedElsewhere: 5,
  leaked: 2,
  groups: 5,
  nested: 5,
  dropped: 5,
  droppedCharged: 0.4,
  droppedAboveOthers: 0.4,
  pools: 1,
  destroyed: 1,
  moved: 1,
  handled: 0.4,
  refused: 1,
};

/** What has not happened often enough in a run of so many seconds. */
export function findTooFew(seconds: number, counts: Counts): string[] {
  return Object.entries(LEAST_PER_SECOND).flatMap(([name, perSecond]) => {
    const count = counts[name as Counter];
    const least = Math.floor(perSecond * seconds);
    return count >= least ? [] : [`${name} is ${count}, less than ${least}: too few to mean anything`];
  });
}
