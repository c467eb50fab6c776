/** A heap with several CPUs on this thread, what a good program does with it, and what becomes of its states. */
import type { KmemCache, MemAlloc, MemCache, Memcg, OwnedCache, PerCpuCounter, SharedHeap } from "sharedheap";
import type { Library } from "../rcu/library.ts";
import type { Bounds } from "./classify.ts";
import { Ledger, type Thing } from "./ledger.ts";
import { anyPool, openAny, type Pool, poolsOf, type Random, type Way } from "./pools.ts";

const BYTES = 1024 * 1024;
/** One of them comes and goes. */
const MAX_CPUS = 4;
const CPUS = 3;
const MODES = ["inline", "turn", "kthread"] as const;
/** Calls between changes of what is asked for most: so slabs empty, and their pages are cut anew. */
const MOOD_CALLS = 150;
/** Live things that are too many. */
const MANY = 1200;

export class World {
  readonly library: Library;
  readonly random: Random;
  readonly heap: SharedHeap;
  readonly cpus: readonly SharedHeap[];
  readonly pools: readonly Pool[];
  readonly ways: readonly Way[];
  readonly ledger: Ledger;
  readonly bounds: Bounds;
  /** Open sections of each CPU. */
  readonly sections: number[];
  /** What the program holds on each CPU. */
  readonly handles: readonly Handles[];
  /** The same of a thread that has detached. */
  gone: Handles;
  /** An allocator that was destroyed, as two CPUs know it; and what once was an object of it. */
  destroyed: { readonly pools: readonly MemAlloc[]; readonly once: number; readonly group: Memcg };
  /** true: what is done will be undone. */
  isRehearsal = false;
  private mood = 0;
  private calls = 0;

  constructor(library: Library, random: Random) {
    this.library = library;
    this.random = random;
    this.ledger = new Ledger(BYTES);
    this.heap = library.SharedHeap.create({ bytes: BYTES, maxCpus: MAX_CPUS, maxNames: 64, turns: false });
    this.trace(this.heap);
    this.cpus = [this.heap, ...Array.from({ length: CPUS - 1 }, () => this.attach())];
    this.sections = this.cpus.map(() => 0);
    this.pools = poolsOf(this.cpus);
    this.ways = [...new Set(this.pools.flatMap(({ ways }) => ways))];
    this.heap.roots.set("counter", this.heap.percpu.counter().offset);
    this.handles = this.cpus.map((heap) => handlesOf(library, heap));
    this.bounds = { heapBytes: BYTES, tableBytes: BYTES - this.heap.stats().pages.total * 4096 };
    this.gone = this.comeAndGo();
    this.destroyed = this.makeAndDestroy();
  }

  /** One call that a good program might make. */
  step(): void {
    if (this.calls++ % MOOD_CALLS === 0) this.mood = this.random(this.pools.length * 2);
    const dice = this.random(1000);
    if (dice < 520) this.alloc();
    else if (dice < 960) this.free();
    else if (dice < 985) this.cpus[this.random(CPUS)].poll();
    else if (dice < 995) this.changeSection();
    else if (dice < 998) this.makeRoom();
    else if (dice < 999) this.gone = this.comeAndGo();
    else this.destroyed = this.makeAndDestroy();
  }

  /** Frees all, as it is right, and looks whether all has come back. */
  finish(): void {
    this.closeSections();
    while (this.ledger.live.length > 0) this.release(this.ledger.live[0]);
    for (let i = 0; i < 32; i++) for (const heap of this.cpus) heap.poll();
    const { allocators, large } = this.heap.stats();
    const out = allocators.filter(({ taken, listed }) => taken !== listed);
    if (out.length > 0 || large.blocks > 0)
      throw new Error(`not all is back: ${JSON.stringify({ out, large })}`);
  }

  anyCpu(): number {
    return this.random(CPUS);
  }

  /** Frees a live thing the way it is meant. */
  release(thing: Thing): void {
    const { ways } = thing.pool;
    this.checkMark(thing);
    ways[this.random(ways.length)].call(this.anyCpu(), thing.p);
    this.ledger.release(thing);
  }

  /** Throws if anybody has written over its last word. */
  checkMark({ p, bytes, mark, pool }: Thing): void {
    const found = this.heap.i32[(p + bytes - 4) >>> 2];
    if (found !== mark) throw new Error(`${pool.name}: the ${bytes} bytes at ${p} were overwritten`);
  }

  /** What the heap's bytes are now. */
  picture(): Buffer {
    return Buffer.from(this.heap.u8);
  }

  restore(picture: Buffer): void {
    this.heap.u8.set(picture);
  }

  private attach(): SharedHeap {
    const irqWork = MODES[this.random(MODES.length)];
    const heap = this.library.SharedHeap.attach(this.heap.token, { irqWork, turns: false });
    this.trace(heap);
    return heap;
  }

  private trace({ tracepoints }: SharedHeap): void {
    tracepoints.on("slab:new", (p, bytes) => this.changeHands(p, bytes));
    tracepoints.on("slab:discard", (p, bytes) => this.changeHands(p, bytes));
  }

  private changeHands(p: number, bytes: number): void {
    if (!this.isRehearsal) this.ledger.changeHands(p, bytes);
  }

  private alloc(): void {
    if (this.ledger.live.length > MANY) this.makeRoom();
    const isInMood = this.mood < this.pools.length && this.random(3) !== 0;
    const pool = this.pools[isInMood ? this.mood : this.random(this.pools.length)];
    const bytes = pool.bytes(this.random);
    const p = pool.alloc(this.anyCpu(), bytes);
    if (p === 0) {
      this.makeRoom();
      return;
    }
    const { mark } = this.ledger.add(pool, p, bytes);
    this.heap.i32[(p + bytes - 4) >>> 2] = mark;
  }

  private free(): void {
    const thing = this.ledger.pick(this.random, () => true);
    if (thing !== undefined) this.release(thing);
  }

  /** Frees most of what there is, of one pool or of all. */
  private makeRoom(): void {
    const only = this.random(2) === 0 ? this.pools[this.random(this.pools.length)] : undefined;
    for (const thing of [...this.ledger.live])
      if ((only === undefined || thing.pool === only) && this.random(8) !== 0) this.release(thing);
    for (const heap of this.cpus) heap.poll();
  }

  private closeSections(): void {
    this.sections.forEach((open, cpu) => {
      for (let left = open; left > 0; left--) this.cpus[cpu].rcu.readUnlock();
      this.sections[cpu] = 0;
    });
  }

  private changeSection(): void {
    const cpu = this.anyCpu();
    if (this.sections[cpu] > 0) {
      this.cpus[cpu].rcu.readUnlock();
      this.sections[cpu]--;
    } else if (this.random(3) === 0) {
      this.cpus[cpu].rcu.readLock();
      this.sections[cpu]++;
    }
  }

  /** A thread attaches, opens something of each kind, and detaches. */
  private comeAndGo(): Handles {
    const handles = handlesOf(this.library, this.attach());
    handles.heap.free(handles.heap.malloc(10));
    handles.heap.detach();
    return handles;
  }

  /** undefined: readers keep too much memory from being used again. */
  private openShortLived(): MemAlloc[] | undefined {
    try {
      return openAny(this.cpus.slice(0, 2), "short-lived");
    } catch (error) {
      if (error instanceof this.library.SharedHeapError && error.code === "out-of-memory") return undefined;
      throw error;
    }
  }

  /** An allocator comes and goes, if there is memory for it. */
  private makeAndDestroy(): World["destroyed"] {
    // nobody is in the way of its end
    this.closeSections();
    this.makeRoom();
    const opened = this.openShortLived();
    if (opened === undefined) return this.destroyed;
    const pool = anyPool("short-lived", opened);
    const objects = Array.from({ length: 20 }, (_, i) => pool.alloc(i % 2, 8 + 8 * i)).filter((p) => p !== 0);
    const once = objects[0] ?? 0;
    void opened[0].destroy();
    // who has not polled since may still use it
    for (const p of objects) opened[1].free(p);
    for (let i = 0; i < 8; i++) for (const heap of this.cpus) heap.poll();
    const group = this.heap.memcg({ name: "short-lived" });
    group.drop();
    return { pools: opened, once, group };
  }
}

/** What a thread has open. */
export interface Handles {
  readonly library: Library;
  readonly heap: SharedHeap;
  readonly any: MemAlloc;
  readonly fixed: MemCache;
  readonly owned: OwnedCache;
  readonly kmem: KmemCache;
  readonly group: Memcg;
  readonly counter: PerCpuCounter;
}

function handlesOf(library: Library, heap: SharedHeap): Handles {
  return {
    library,
    heap,
    any: heap.memAlloc({ name: "any a" }),
    fixed: heap.memCache({ name: "fixed a", size: 56 }),
    owned: heap.memCache({ name: "owned", size: 48, owned: true }),
    kmem: heap.kmemCache({ name: "kmem a", size: 64 }),
    group: heap.memcg({ name: "group" }),
    counter: heap.percpu.counter(heap.roots.get("counter")),
  };
}
