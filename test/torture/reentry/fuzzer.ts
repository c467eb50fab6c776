/**
 * One thread of the re-entry fuzz: random calls, and handlers on every tracepoint that make random calls themselves, to
 * depth MAX_DEPTH. Each object is marked while it is held, and looked at when it is freed.
 */
import type { SharedHeap, TracepointName } from "sharedheap";
import { POINTS } from "../../support/points.ts";
import { FIXED_BYTES, type Job, MAX_DEPTH, type Tally } from "./job.ts";
import { checkStamp, type Pool, poolsOf, stamp } from "./pools.ts";

/** Places for objects of each pool. */
const HELD = 128;
/** One in so many calls of a handler does something. */
const HANDLER_ODDS = 4;

export class Fuzzer {
  readonly tally: Tally = { byDepth: new Array(MAX_DEPTH + 1).fill(0), calls: {}, nulls: 0 };
  private readonly heap: SharedHeap;
  private readonly pools: readonly Pool[];
  private readonly words: Int32Array;
  /** Of each pool's places: the object, its bytes, its mark. A place is taken while a call on it is under way. */
  private readonly objects: readonly Float64Array[];
  private readonly bytes: readonly Int32Array[];
  private readonly marks: readonly Int32Array[];
  private random: number;
  private depth = 0;
  private serial = 0;
  private readonly thread: number;
  private readonly offs: (() => void)[] = [];
  /** The first thing that was found in a handler. */
  private failure: unknown;

  constructor(heap: SharedHeap, { seed, thread }: Job) {
    this.heap = heap;
    this.words = heap.i32;
    this.random = seed;
    this.thread = thread;
    const fixed = heap.memCache({ name: "fixed", size: FIXED_BYTES });
    this.pools = poolsOf(heap, fixed, heap.memAlloc({ name: "any" }));
    this.objects = this.pools.map(() => new Float64Array(HELD));
    this.bytes = this.pools.map(() => new Int32Array(HELD));
    this.marks = this.pools.map(() => new Int32Array(HELD));
    for (const name of POINTS) {
      this.tally.calls[name] = 0;
      this.offs.push(heap.tracepoints.on(name, () => this.handle(name), { nested: true }));
    }
  }

  /** One call, and what its handlers make of it. */
  step(): void {
    const dice = this.pick(100);
    if (dice < 96) this.operate();
    else if (dice < 99) this.heap.context.nmi(() => this.operate());
    else if (this.pick(4) > 0) this.heap.poll();
    else this.bury();
    if (this.failure !== undefined) throw this.failure;
  }

  /** Another thread comes, and dies. */
  private bury(): void {
    // of the same library, which may be one with a planted bug
    const { attach } = this.heap.constructor as typeof SharedHeap;
    const other = attach(this.heap.token, { turns: false });
    this.heap.reap(other.cpu, { surelyGone: true });
  }

  /** Frees all that is held, without handlers: they would allocate again. */
  finish(): void {
    for (const off of this.offs) off();
    for (let pool = 0; pool < this.pools.length; pool++)
      for (let at = 0; at < HELD; at++) if (this.objects[pool][at] !== 0) this.release(pool, at);
  }

  private handle(name: TracepointName): void {
    this.tally.calls[name]++;
    if (this.depth === MAX_DEPTH || this.pick(HANDLER_ODDS) !== 0) return;
    this.depth++;
    try {
      for (let left = 1 + this.pick(2); left > 0; left--) this.operate();
    } catch (error) {
      this.failure ??= error;
    }
    this.depth--;
  }

  private operate(): void {
    this.tally.byDepth[this.depth]++;
    const pool = this.pick(this.pools.length);
    const at = this.pick(HELD);
    // a place where a call further down the stack is under way
    if (this.objects[pool][at] < 0) return;
    if (this.objects[pool][at] === 0) this.fill(pool, at);
    else this.release(pool, at);
  }

  private fill(pool: number, at: number): void {
    const { maxBytes, alloc, name, isPatient } = this.pools[pool];
    const bytes = pool === 0 ? FIXED_BYTES : this.sizeUpTo(maxBytes);
    this.objects[pool][at] = -1;
    const p = alloc(bytes);
    this.objects[pool][at] = p;
    if (p === 0) this.noteNull(name, bytes, isPatient);
    else this.mark(pool, at, p, bytes);
  }

  private mark(pool: number, at: number, p: number, bytes: number): void {
    const mark = (++this.serial * 64 + this.thread) | 0;
    this.bytes[pool][at] = bytes;
    this.marks[pool][at] = mark;
    stamp(this.words, p, bytes, mark);
  }

  private noteNull(name: string, bytes: number, isPatient: boolean): void {
    this.tally.nulls++;
    if (isPatient && this.heap.context.inTask())
      throw new Error(`${name}: ${bytes} bytes: NULL in task context`);
  }

  private release(pool: number, at: number): void {
    const { free, freeRcu } = this.pools[pool];
    const p = this.objects[pool][at];
    checkStamp(this.words, p, this.bytes[pool][at], this.marks[pool][at]);
    this.objects[pool][at] = -1;
    if (freeRcu !== undefined && this.pick(3) === 0) freeRcu(p);
    else free(p);
    this.objects[pool][at] = 0;
  }

  /** Small ones more often. A multiple of 4. */
  private sizeUpTo(max: number): number {
    const limit = this.pick(8) === 0 ? max : Math.min(max, 256);
    return 4 + 4 * this.pick(limit >>> 2);
  }

  /** An integer from 0 to `below` - 1: mulberry32. */
  private pick(below: number): number {
    this.random = (this.random + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.random ^ (this.random >>> 15), this.random | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  }
}
