/** Allocators and groups that one thread makes, uses and ends; and what is left of them when it died meanwhile. */
import type { MemAlloc, MemCache, SharedHeap } from "sharedheap";
import type { Journal } from "./journal.ts";

/** What a thread may have opened. */
const ANY = 1;
const FIXED = 2;
const GROUP = 4;
const FIXED_BYTES = 200;
const GROUP_BYTES = 2 ** 20;

export class Own {
  private readonly thread: number;
  private readonly journal: Journal;
  private readonly random: (below: number) => number;

  constructor(thread: number, journal: Journal, random: (below: number) => number) {
    this.thread = thread;
    this.journal = journal;
    this.random = random;
  }

  use(heap: SharedHeap): void {
    const isAny = this.random(2) === 0;
    this.journal.own = isAny ? ANY : FIXED;
    const pool = isAny ? openAny(heap, this.thread) : openFixed(heap, this.thread);
    this.allocateAndFree(pool);
    void pool.destroy();
    this.journal.own = 0;
  }

  useGroup(heap: SharedHeap): void {
    this.journal.own = GROUP;
    const { group, pool } = openGroup(heap, this.thread);
    this.allocateAndFree(pool);
    void pool.destroy();
    group.drop();
    this.journal.own = 0;
  }

  private allocateAndFree(pool: MemAlloc | MemCache): void {
    const objects = Array.from({ length: 1 + this.random(150) }, () => pool.alloc(1 + this.random(300)));
    for (const p of objects) {
      if (p === 0) throw new Error("alloc is NULL in a heap that has room");
      if (this.random(2) === 0) pool.free(p);
      else pool.freeRcu(p);
    }
  }
}

function openAny(heap: SharedHeap, thread: number): MemAlloc {
  return heap.memAlloc({ name: `own any ${thread}` });
}

function openFixed(heap: SharedHeap, thread: number): MemCache {
  return heap.memCache({ name: `own fixed ${thread}`, size: FIXED_BYTES });
}

function openGroup(heap: SharedHeap, thread: number) {
  const group = heap.memcg({ name: `own group ${thread}`, max: GROUP_BYTES });
  const pool = heap.memCache({ name: `own charged ${thread}`, size: FIXED_BYTES, memcg: group });
  return { group, pool };
}

/** Ends what a thread that died may have left of its own. Resolves to how many objects were out. */
export async function endOwn(heap: SharedHeap, thread: number, own: number): Promise<number> {
  const pools: (MemAlloc | MemCache)[] = [];
  if ((own & ANY) !== 0) pools.push(openAny(heap, thread));
  if ((own & FIXED) !== 0) pools.push(openFixed(heap, thread));
  const group = (own & GROUP) === 0 ? undefined : openGroup(heap, thread);
  if (group !== undefined) pools.push(group.pool);
  const ends = pools.map((pool) => pool.destroy());
  group?.group.drop();
  return (await Promise.all(ends)).reduce((sum, { leaked }) => sum + leaked.length, 0);
}
