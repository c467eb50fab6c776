/** At the end, with all threads gone: every object is known, and accounted for. */
import { setTimeout as pause } from "node:timers/promises";
import type { SharedHeap } from "sharedheap";
import { type Census, census } from "./census.ts";
import type { Held } from "./journal.ts";
import { POOLS } from "./pools.ts";

/** Polls after which everything has gone through its grace periods. */
const POLLS = 200;

export interface Known {
  /** What survivors and dead programs hold, and what lies in slots. */
  readonly held: readonly Held[];
  /** Objects that may be there or not, of each pool. */
  readonly unknown: readonly number[];
  /** Objects of allocators that are gone, which were out at their end. */
  readonly leaked: number;
  /** Blocks that were there before. */
  readonly blocksBefore: number;
}

export interface Books {
  /** Objects of the allocators: what slab has given for them. Is the sum of the others. */
  readonly taken: number;
  readonly listed: number;
  readonly held: number;
  /** Not known to anyone, one at most for each death: what its journal had no time to say. */
  readonly unknown: number;
  readonly leaked: number;
  /** Neither listed nor alive: what threads were in the middle of moving when they died. */
  readonly inHand: number;
  /** Objects that are alive, by their headers. */
  readonly alive: ReadonlySet<number>;
  /** Blocks without headers: held, and not known to anyone. */
  readonly blocks: number;
  readonly unknownBlocks: number;
}

export async function drain(heap: SharedHeap): Promise<void> {
  for (let i = 0; i < POLLS; i++) {
    heap.poll();
    if (i % 16 === 0) await pause(1);
  }
}

/** Draws up the books. `problems` gets what is wrong with them. */
export function balance(heap: SharedHeap, known: Known, problems: string[]): Books {
  const now = census(heap);
  const objects = known.held.filter(({ pool }) => POOLS[pool].books === "objects");
  const blocks = known.held.length - objects.length;
  const leaked = known.leaked + now.leaked;
  const books = {
    taken: now.taken,
    listed: now.listed,
    held: objects.length,
    alive: now.alive,
    unknown: now.alive.size - objects.length,
    leaked,
    inHand: now.taken - now.listed - now.alive.size - leaked,
    blocks,
    unknownBlocks: now.blocks - known.blocksBefore - blocks,
  };
  problems.push(...wrongObjects(now, objects), ...wrongSums(books, known.unknown));
  return books;
}

/** What is held must be alive, and held once. */
function wrongObjects({ alive }: Census, held: readonly Held[]): string[] {
  const problems = [];
  const seen = new Set<number>();
  for (const { pool, p } of held) {
    if (!alive.has(p)) problems.push(`the object at ${p} (${POOLS[pool].name}) is held, and free`);
    if (seen.has(p)) problems.push(`the object at ${p} (${POOLS[pool].name}) is held twice`);
    seen.add(p);
  }
  return problems;
}

function wrongSums(books: Books, unknown: readonly number[]): string[] {
  const problems = [];
  const most = (kind: "objects" | "blocks"): number =>
    unknown.reduce((sum, count, pool) => sum + (POOLS[pool].books === kind ? count : 0), 0);
  const { unknown: objects, unknownBlocks, inHand } = books;
  if (objects < 0 || objects > most("objects"))
    problems.push(`${objects} objects are out that nobody knows of; at most ${most("objects")} may be`);
  if (unknownBlocks < 0 || unknownBlocks > most("blocks"))
    problems.push(`${unknownBlocks} blocks are out that nobody knows of; at most ${most("blocks")} may be`);
  if (inHand < 0) problems.push(`${-inHand} objects are on lists, or alive, that slab has not given`);
  return problems;
}
