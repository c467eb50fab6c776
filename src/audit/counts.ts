/** What caches of allocators count: objects taken from slab, chains on their way, rounds that were asked for. */
import { fetchAdd, peek, storeRelease } from "#primitive";
import type { System } from "../inspect/index.ts";
import type { Allocator } from "../memalloc/index.ts";
import { CHAINS, FREE_BY_RCU_TTRACE, KIND_ROUND, ROUND, ROUND_PENDING, TAKEN } from "../memalloc/layout.ts";
import { listedOf, type MarkedCache, type Marks } from "./marks.ts";
import type { Objects } from "./objects.ts";
import type { Finding } from "./report.ts";

/** Objects that each allocator has from slab, by the sizes that it has; as they are, not as they are counted. */
export type Taken = ReadonlyMap<Allocator, readonly number[]>;

/** taken = listed + out. */
export function takenOf(marks: Marks, { outByHome }: Objects): Taken {
  const taken = new Map<Allocator, number[]>();
  for (const each of marks.caches) {
    const { allocator, bucket, cache } = each;
    const counts = taken.get(allocator) ?? allocator.unitSizes.map(() => 0);
    counts[bucket] += listedOf(each) + (outByHome.get(cache) ?? 0);
    taken.set(allocator, counts);
  }
  return taken;
}

export function takenCounts(system: System, taken: Taken): Finding[] {
  const { allocators, areas, cpu } = system;
  const findings: Finding[] = [];
  for (const [allocator, counts] of taken) {
    const own = allocators.cachesOn(cpu.id, allocator);
    own.forEach((cache, bucket) => {
      let counted = 0;
      for (let each = 0; each < areas.maxCpus; each++)
        counted += peek(areas.words, areas.instanceOn(each, cache) + TAKEN);
      const error = counts[bucket] - counted;
      if (error === 0) return;
      const what = `"${allocator.name}" ${allocator.unitSizes[bucket]}`;
      findings.push({
        line: `${what}: ${counted} objects were counted as taken from slab, ${counts[bucket]} are`,
        // the sum over all CPUs is what counts
        mend: () => fetchAdd(areas.words, cache + TAKEN, error),
      });
    });
  }
  return findings;
}

/** Chains, and rounds. */
export function chainCounts(system: System, marks: Marks): Finding[] {
  const rounds = new Set<number>();
  system.callbacks.forEachItem(KIND_ROUND, (item) => {
    const isNew = !rounds.has(item);
    rounds.add(item);
    return isNew;
  });
  return marks.caches.flatMap((each) => [
    ...chains(system, each),
    ...round(system, each, rounds.has(each.cache + ROUND)),
  ]);
}

function chains({ areas }: System, { cache, where, lists }: MarkedCache): Finding[] {
  const counted = peek(areas.words, cache + CHAINS);
  const error = (lists?.chains ?? 0) - counted;
  if (error === 0) return [];
  const line = `${where}: ${counted} chains were counted, ${counted + error} there`;
  return [{ line, mend: () => fetchAdd(areas.words, cache + CHAINS, error) }];
}

/** Chains that wait at home are sent on by a round, which is a callback; whoever asks for it says so first, and may die. */
function round({ areas, callbacks }: System, { cache, where }: MarkedCache, isQueued: boolean): Finding[] {
  const isPending = peek(areas.words, cache + ROUND_PENDING) !== 0;
  const isWanted = peek(areas.words, cache + FREE_BY_RCU_TTRACE) !== 0;
  if (isPending === isQueued && (isQueued || !isWanted)) return [];
  const mend = (): void => {
    // pairs with the CAS in Pipeline.raiseRound
    storeRelease(areas.words, cache + ROUND_PENDING, isQueued || isWanted ? 1 : 0);
    if (isWanted && !isQueued) callbacks.call(KIND_ROUND, cache + ROUND);
  };
  return [{ line: `${where}: a round was ${isPending ? "said to be" : "not"} pending`, mend }];
}
