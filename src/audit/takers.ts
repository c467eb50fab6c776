/** Taker words: who holds one while it is quiet is a thread that died. Whoever wants it next would take it over. */
import { peek, storeRelease } from "#primitive";
import type { System } from "../inspect/index.ts";
import { TAKER } from "../memalloc/layout.ts";
import { CACHE_TAKER } from "../mm/layout.ts";
import { LOCAL_QUEUES, MAX_KINDS, QUEUE_TAKER, QUEUE_WORDS } from "../rcu/layout.ts";
import type { Finding } from "./report.ts";

interface Taker {
  /** What it is a taker word of. */
  readonly what: string;
  /** The CPU that holds it, and whether the thread that it named has gone. */
  readonly cpu: number;
  readonly isStale: boolean;
  readonly release: () => void;
}

/** The taker words that somebody holds. */
export function takersOf(system: System): Taker[] {
  return [...queueTakers(system), ...cacheTakers(system), ...slabTakers(system)];
}

export function staleTakers(system: System): Finding[] {
  return takersOf(system).map(({ what, cpu, release }) => ({
    line: `${what} was claimed by CPU ${cpu}, whose thread is gone`,
    mend: release,
  }));
}

function queueTakers(system: System): Taker[] {
  const { areas, rcuPlace, callbacks } = system;
  return eachCpu(system).flatMap((owner) =>
    Array.from({ length: MAX_KINDS }, (_, kind) => kind).flatMap((kind) => {
      const at = areas.areaOf(owner) + rcuPlace.local + LOCAL_QUEUES + kind * QUEUE_WORDS + QUEUE_TAKER;
      // the queue itself may have to be put right
      return taker(system, at, `queue ${kind} of CPU ${owner}`, () => callbacks.unclaim(owner, kind));
    }),
  );
}

function cacheTakers(system: System): Taker[] {
  const { allocators } = system;
  return allocators
    .list()
    .flatMap((allocator) =>
      eachCpu(system).flatMap((owner) =>
        allocators
          .cachesOn(owner, allocator)
          .flatMap((cache) => taker(system, cache + TAKER, `what is home at "${allocator.name}"`)),
      ),
    );
}

function slabTakers(system: System): Taker[] {
  const caches = system.kmalloc.allCaches();
  return caches.flatMap((cache) => taker(system, cache + CACHE_TAKER, `the lists of slab cache ${cache}`));
}

/** `release`: if more is to be done than to clear the word. */
function taker({ cpus, areas }: System, at: number, what: string, release?: () => void): Taker[] {
  const claim = peek(areas.words, at);
  if (claim === 0) return [];
  // pairs with tryTake
  const clear = () => storeRelease(areas.words, at, 0);
  return [{ what, cpu: cpus.holderOf(claim).cpu, isStale: cpus.isStale(claim), release: release ?? clear }];
}

function eachCpu({ areas }: System): number[] {
  return Array.from({ length: areas.maxCpus }, (_, cpu) => cpu);
}
