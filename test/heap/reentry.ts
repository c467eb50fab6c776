/**
 * A program whose calls, and the calls that its handlers make inside of them, are decided by numbers: so a property test
 * can make it as wild as it likes, and shrink it. Each object is marked while it is held.
 */
import assert from "node:assert/strict";
import {
  type CreateOptions,
  type FaultInjection,
  type KmemCache,
  type MemAlloc,
  type MemCache,
  SharedHeap,
  SharedHeapError,
} from "sharedheap";
import { MIB, settle, usedObjects } from "../memalloc/heaps.ts";
import { POINTS } from "../support/points.ts";

/** Deepest nesting of handlers that do something. */
const MAX_DEPTH = 4;
/** Less than the program would hold. */
const GROUP_BYTES = 24 * 1024;
/** Errors of `victim` at any time, since it may be destroyed inside of each call on it. */
const VICTIM_CODES = ["destroyed", "bad-context", "out-of-memory", "limit"];

interface Held {
  readonly p: number;
  readonly bytes: number;
  readonly mark: number;
  /** One of the ways that lead back. */
  readonly free: (choice: number) => void;
}

export class Program {
  readonly heap: SharedHeap;
  private readonly any: MemAlloc;
  private readonly fixed: MemCache;
  private readonly own: KmemCache;
  /** In a group that is often full. */
  private readonly tight: MemAlloc;
  private victim: MemCache | undefined;
  /** Objects of allocators that were destroyed, by allocator; and what destroy() said of each. */
  private victims: { readonly out: Set<number>; readonly end?: Promise<readonly number[]> }[] = [];
  private readonly held: Held[] = [];
  private readonly faults: FaultInjection | undefined;
  private readonly offs: (() => void)[];
  private readonly choices: readonly number[];
  private next = 0;
  private depth = 0;
  private marks = 0;
  /** The first thing that a handler found wrong. */
  private failure: unknown;

  /** `every`: so many allocations inside the library fail, once the program runs; then NULL may come at any time. */
  constructor(choices: readonly number[], options: CreateOptions = {}, every = 0) {
    this.choices = choices;
    this.heap = SharedHeap.create({ bytes: 2 * MIB, maxCpus: 2, turns: false, ...options });
    this.any = this.heap.memAlloc({ name: "any" });
    this.fixed = this.heap.memCache({ name: "fixed", size: 1000 });
    this.own = this.heap.kmemCache({ name: "own", size: 700, ctor: (p) => this.heap.u8.fill(0, p, p + 700) });
    const memcg = this.heap.memcg({ name: "tight", max: GROUP_BYTES });
    this.tight = this.heap.memAlloc({ name: "tight", memcg });
    // opens its allocator
    this.heap.free(this.heap.malloc(8));
    this.faults = every === 0 ? undefined : this.heap.faultInject({ every });
    this.offs = POINTS.map((name) => this.heap.tracepoints.on(name, () => this.handle(), { nested: true }));
  }

  /** Everything, with the invariants checked after each outermost call. */
  async run(): Promise<void> {
    while (this.next < this.choices.length) {
      this.operate();
      this.check();
    }
    for (const off of this.offs) off();
    this.faults?.stop();
    while (this.held.length > 0) this.release(0);
    // in mode kthread others run the callbacks
    const helper = SharedHeap.attach(this.heap.token, { turns: false });
    const leaked = await this.endVictims(helper);
    this.check();
    this.heap.detach();
    settle(helper);
    helper.detach();
    assert.equal(usedObjects(this.heap), leaked);
    this.heap.checkInvariants();
  }

  private choose(): number {
    return this.choices[this.next++] ?? 0;
  }

  private handle(): void {
    if (this.depth === MAX_DEPTH || this.choose() % 4 !== 1) return;
    this.depth++;
    try {
      this.operate();
    } catch (error) {
      this.failure ??= error;
    }
    this.depth--;
  }

  private operate(): void {
    const choice = this.choose();
    const kind = choice % 16;
    if (kind < 6) this.allocate(choice >>> 4);
    else if (kind < 11) this.release(choice >>> 4);
    else if (kind === 11) this.burst(choice >>> 4);
    else if (kind === 12) this.inside(choice >>> 4);
    else if (kind === 13) this.heap.poll();
    else if (kind === 14) this.heap.rcu.call(() => this.handle());
    else this.useVictim(choice >>> 4);
  }

  private allocate(choice: number): void {
    const { heap, any, fixed, own, tight } = this;
    const size = 1 + ((choice >>> 3) % 2000);
    const kfree = (p: number) => () => heap.kfree(p);
    const one = (pool: MemAlloc | MemCache, p: number) => (how: number) =>
      [() => pool.free(p), () => pool.freeRcu(p), () => pool.rawFree(p)][how % 3]();
    const ways: (() => readonly [number, number, (p: number) => Held["free"]])[] = [
      () => [any.alloc(size), size, (p) => one(any, p)],
      () => [any.allocFlags(size, 2), size, (p) => one(any, p)],
      () => [fixed.alloc(), 1000, (p) => one(fixed, p)],
      () => [own.alloc(), 700, (p) => () => own.free(p)],
      () => [heap.kmalloc(size), size, kfree],
      () => [heap.kmalloc(20 * size), 20 * size, kfree],
      () => [heap.kmallocNolock(4 * size), 4 * size, kfree],
      () => [heap.malloc(3 * size), 3 * size, (p) => () => heap.free(p)],
      () => [tight.allocFlags(size, 2), size, (p) => one(tight, p)],
    ];
    const way = choice % 9;
    const [p, bytes, freeOf] = ways[way]();
    if (p !== 0) this.hold(p, bytes, freeOf(p));
    else if (this.faults === undefined && way !== 8)
      assert.ok(this.depth > 0 || !heap.context.inTask(), `NULL in task context, ${this.held.length} held`);
  }

  private hold(p: number, bytes: number, free: Held["free"]): void {
    const mark = (this.marks++ % 255) + 1;
    this.heap.u8.fill(mark, p, p + bytes);
    this.held.push({ p, bytes, mark, free });
  }

  private release(choice: number): void {
    const [object] = this.held.splice(choice % Math.max(this.held.length, 1), 1);
    if (object === undefined) return;
    const { p, bytes, mark, free } = object;
    const bytesHeld = this.heap.u8.subarray(p, p + bytes);
    assert.ok(
      bytesHeld.every((byte) => byte === mark),
      `the object of ${bytes} bytes at ${p} was overwritten`,
    );
    free(choice >>> 3);
  }

  private burst(choice: number): void {
    for (let left = choice % 60; left > 0; left--) {
      if ((choice & 64) !== 0) this.release(choice >>> 7);
      else if (this.held.length < 150) this.allocate(choice >>> 7);
    }
  }

  private inside(choice: number): void {
    const { heap } = this;
    const call = () => this.operate();
    if (choice % 3 === 0) heap.context.nmi(call);
    else if (choice % 3 === 1) heap.context.softirq(call);
    else {
      heap.rcu.readLock();
      call();
      heap.rcu.readUnlock();
    }
  }

  /** Opens an allocator, uses it, and destroys it, whatever is under way. */
  private useVictim(choice: number): void {
    try {
      if (this.victim === undefined) this.openVictim();
      else if (choice % 4 === 0) this.destroyVictim(this.victim);
      else if (choice % 4 === 1) this.freeVictims(this.victim, choice);
      else this.allocVictim(this.victim);
    } catch (error) {
      if (!(error instanceof SharedHeapError) || !VICTIM_CODES.includes(error.code)) throw error;
    }
    // opened inside of an open of the same name that then could not get its first objects: nobody is told of what is out
    if (this.victim?.isOpen === false) this.victim = undefined;
  }

  private openVictim(): void {
    const victim = this.heap.memCache({ name: "victim", size: 200 });
    // a handler may have opened it meanwhile: then it is the same
    if (this.victim === undefined) this.victims.push({ out: new Set() });
    this.victim = victim;
  }

  private allocVictim(victim: MemCache): void {
    const { out } = this.victims[this.victims.length - 1];
    const p = victim.alloc();
    if (p !== 0) out.add(p);
  }

  private freeVictims(victim: MemCache, choice: number): void {
    const { out } = this.victims[this.victims.length - 1];
    const [p] = out;
    if (p === undefined) return;
    out.delete(p);
    try {
      if (choice & 4) victim.free(p);
      else victim.freeRcu(p);
    } catch (error) {
      out.add(p);
      throw error;
    }
  }

  private destroyVictim(victim: MemCache): void {
    const { out } = this.victims[this.victims.length - 1];
    const end = victim.destroy().then(({ leaked }) => leaked);
    this.victim = undefined;
    this.victims[this.victims.length - 1] = { out, end };
  }

  /** Returns how many of their objects were out. */
  private async endVictims(helper: SharedHeap): Promise<number> {
    if (this.victim !== undefined) this.destroyVictim(this.victim);
    for (let i = 0; i < 20; i++) {
      helper.poll();
      this.heap.poll();
    }
    let leaked = 0;
    for (const { out, end } of this.victims) {
      if (end !== undefined) assert.deepEqual((await end).toSorted(), [...out].toSorted());
      leaked += out.size;
    }
    return leaked;
  }

  private check(): void {
    if (this.failure !== undefined) throw this.failure;
    assert.equal(this.heap.context.inTask(), true);
    this.heap.checkInvariants();
  }
}
