/** A thread's objects: allocated, stamped, handed over, checked and freed; each step written down in its journal. */
import type { SharedHeap } from "sharedheap";
import { stamp, unstamp } from "../objects.ts";
import type { Board } from "./board.ts";
import { PUBLISHED_SLOTS, RING_SLOTS } from "./board.ts";
import type { Journal } from "./journal.ts";
import { openPools, POOLS, type Pool, PUBLISHED_POOL } from "./pools.ts";

/** Told how long each call took, in nanoseconds. */
export type OnCall = (nanoseconds: number) => void;

/** Words of an object that say whether it is what it was. */
const BYTES = 0;
const MARK = 1;

export class Holder {
  private readonly heap: SharedHeap;
  private readonly journal: Journal;
  private readonly board: Board;
  private readonly random: (below: number) => number;
  private readonly onCall: OnCall;
  private readonly pools: readonly Pool[];

  constructor(
    heap: SharedHeap,
    journal: Journal,
    board: Board,
    random: (below: number) => number,
    onCall: OnCall,
  ) {
    this.heap = heap;
    this.journal = journal;
    this.board = board;
    this.random = random;
    this.onCall = onCall;
    this.pools = openPools(heap);
  }

  /** Allocates an object or frees one. Any context. */
  swap(): void {
    const pool = this.random(POOLS.length);
    const entry = this.random(POOLS[pool].most);
    if (this.journal.read(pool, entry) === 0) this.fill(pool, entry);
    else this.drop(pool, entry);
  }

  /** Allocates all that a pool has entries for, and frees them: more than a cache keeps. */
  hoard(): void {
    const pool = this.random(POOLS.length);
    const { most } = POOLS[pool];
    for (let entry = 0; entry < most; entry++)
      if (this.journal.read(pool, entry) === 0) this.fill(pool, entry);
    this.dropAll(pool);
  }

  /** Frees what is this CPU's alone: another one is about to be this thread's. */
  disown(): void {
    for (const [pool, { isOwned }] of POOLS.entries()) if (isOwned) this.dropAll(pool);
  }

  private dropAll(pool: number): void {
    for (let entry = 0; entry < POOLS[pool].most; entry++) this.drop(pool, entry);
  }

  /** Puts an object where another thread may take it, and takes what was there. */
  handOver(): void {
    const pool = this.random(POOLS.length);
    if (POOLS[pool].isOwned) return;
    const entry = this.random(POOLS[pool].most);
    const p = this.journal.read(pool, entry);
    const word = this.board.ringWord(pool, this.random(RING_SLOTS));
    this.journal.begin(pool, entry);
    this.journal.end(pool, entry, this.board.exchange(word, p), true);
  }

  /** Replaces an object that readers look at. Any context. */
  publish(): void {
    const entry = this.random(POOLS[PUBLISHED_POOL].most);
    if (this.journal.read(PUBLISHED_POOL, entry) === 0) this.fill(PUBLISHED_POOL, entry);
    const p = this.journal.read(PUBLISHED_POOL, entry);
    const word = this.board.publishedWord(this.random(PUBLISHED_SLOTS));
    this.journal.begin(PUBLISHED_POOL, entry);
    const old = this.board.exchange(word, p);
    this.journal.end(PUBLISHED_POOL, entry, old, true);
    if (old === 0) return;
    // readers may be looking at it: its stamp stays
    this.journal.begin(PUBLISHED_POOL, entry);
    this.pools[PUBLISHED_POOL].freeRcu(old);
    this.journal.end(PUBLISHED_POOL, entry, 0, true);
  }

  /** Looks at published objects, in a read section, and does something else meanwhile: they stay what they are. */
  read(between: () => void): void {
    this.heap.rcu.readLock();
    const objects = Array.from({ length: PUBLISHED_SLOTS }, (_, slot) => this.seen(slot));
    between();
    for (const { p, mark } of objects) if (p !== 0) this.checkSame(p, mark);
    this.heap.rcu.readUnlock();
  }

  private seen(slot: number): { p: number; mark: number } {
    const p = this.board.read(this.board.publishedWord(slot));
    return { p, mark: p === 0 ? 0 : this.heap.i32[(p >>> 2) + MARK] };
  }

  private checkSame(p: number, mark: number): void {
    const at = p >>> 2;
    const [bytes, now] = [this.heap.i32[at + BYTES], this.heap.i32[at + MARK]];
    if (now === mark && bytes === POOLS[PUBLISHED_POOL].bytes(this.random)) return;
    throw new Error(`object at ${p}: its stamp ${mark} became ${now}, ${bytes} bytes, inside a read section`);
  }

  private fill(pool: number, entry: number): void {
    const bytes = POOLS[pool].bytes(this.random);
    this.journal.begin(pool, entry);
    const start = performance.now();
    const p = this.pools[pool].alloc(bytes);
    this.onCall((performance.now() - start) * 1e6);
    this.journal.end(pool, entry, p, p === 0);
    if (p !== 0) {
      stamp(this.heap, p, bytes, this.random(2 ** 31));
      this.journal.write(pool, entry, p, true);
    } else if (this.heap.context.inTask()) {
      throw new Error(`${POOLS[pool].name}: alloc(${bytes}) is NULL in a heap that has room`);
    }
  }

  private drop(pool: number, entry: number): void {
    const p = this.journal.read(pool, entry);
    if (p === 0) return;
    this.journal.write(pool, entry, p, false);
    unstamp(this.heap, p);
    const isRcu = this.random(3) === 0;
    this.journal.begin(pool, entry);
    const start = performance.now();
    if (isRcu) this.pools[pool].freeRcu(p);
    else this.pools[pool].free(p);
    this.onCall((performance.now() - start) * 1e6);
    this.journal.end(pool, entry, 0, true);
  }
}
