/**
 * The model: what the program has allocated, what it has freed, and what has happened in those places since. It knows nothing of
 * headers and lists, only what calls returned, and which memory came from and went back to the page allocator.
 */
import type { Pool, Random } from "./pools.ts";

const GRANULE_BYTES = 8;
/** Freed things that are remembered. */
const REMEMBERED = 4096;

export interface Thing {
  /** Its number, from 1. */
  readonly id: number;
  readonly pool: Pool;
  readonly p: number;
  readonly bytes: number;
  /** What its last word holds. */
  readonly mark: number;
  /** Where it is in the list of live things, or -1. */
  place: number;
}

/** Where the memory of a thing begins, header included. */
export function startOf({ pool, p }: Thing): number {
  return p - pool.headerBytes;
}

export class Ledger {
  readonly live: Thing[] = [];
  readonly freed: Thing[] = [];
  private readonly things = new Map<number, Thing>();
  private readonly liveAt = new Map<number, Thing>();
  /** For each granule the last thing that covered it, or 0 if its page has changed hands since. */
  private readonly cover: Int32Array;
  private count = 0;
  private oldest = 0;

  constructor(heapBytes: number) {
    this.cover = new Int32Array(heapBytes / GRANULE_BYTES);
  }

  add(pool: Pool, p: number, bytes: number): Thing {
    const id = ++this.count;
    const thing = { id, pool, p, bytes, mark: (id * 0x9e3779b1) | 0, place: this.live.length };
    this.live.push(thing);
    this.things.set(id, thing);
    this.liveAt.set(p, thing);
    this.cover.fill(id, startOf(thing) / GRANULE_BYTES, Math.ceil((p + bytes) / GRANULE_BYTES));
    return thing;
  }

  /** It was freed. */
  release(thing: Thing): void {
    const last = this.live.pop() as Thing;
    if (last !== thing) {
      this.live[thing.place] = last;
      last.place = thing.place;
    }
    thing.place = -1;
    this.liveAt.delete(thing.p);
    if (this.freed.length < REMEMBERED) this.freed.push(thing);
    else {
      this.things.delete(this.freed[this.oldest].id);
      this.freed[this.oldest] = thing;
      this.oldest = (this.oldest + 1) % REMEMBERED;
    }
  }

  /** The pages were taken from the page allocator, or given back to it. */
  changeHands(p: number, bytes: number): void {
    this.cover.fill(0, p / GRANULE_BYTES, (p + bytes) / GRANULE_BYTES);
  }

  isLive({ place }: Thing): boolean {
    return place >= 0;
  }

  /** True of a freed thing if nothing else has been where it was. */
  isUntouched(thing: Thing): boolean {
    return this.cover[startOf(thing) / GRANULE_BYTES] === thing.id;
  }

  /** The live thing that was returned as `p`. */
  at(p: number): Thing | undefined {
    return this.liveAt.get(p);
  }

  /** The thing in whose memory the byte at `p` is, live or freed and untouched. */
  around(p: number): Thing | undefined {
    const thing = this.things.get(this.cover[Math.floor(p / GRANULE_BYTES)]);
    return thing !== undefined && (this.isLive(thing) || this.isUntouched(thing)) ? thing : undefined;
  }

  /** A live thing that does. */
  pick(random: Random, does: (thing: Thing) => boolean): Thing | undefined {
    return pickFrom(this.live, random, does);
  }

  /** A freed one that does. */
  pickFreed(random: Random, does: (thing: Thing) => boolean): Thing | undefined {
    return pickFrom(this.freed, random, does);
  }
}

function pickFrom(
  things: readonly Thing[],
  random: Random,
  does: (thing: Thing) => boolean,
): Thing | undefined {
  if (things.length === 0) return undefined;
  const from = random(things.length);
  for (let i = 0; i < Math.min(things.length, 64); i++) {
    const thing = things[(from + i) % things.length];
    if (does(thing)) return thing;
  }
  return undefined;
}
