/**
 * The way of a freed object back to where it came from:
 *
 *     free, rawFree, kfree -----------------------------> quarantine -> its allocator's caches, or slab
 *     freeRcu -> callback -(RCU grace period)-> (poisoned) ^
 *
 * An allocator's object is a chain of one from the moment it is freed: counted at its home, so that the allocator is not
 * released while it is here, on whichever CPU.
 *
 * Progress: lock-free; a free takes as many out of quarantine as it needs room. Any context.
 */
import { readPrivate, type Words } from "#primitive";
import type { Cpu } from "../cpu/index.ts";
import type { Pipeline, Supply } from "../memalloc/index.ts";
import { OBJECT_CHECK, OBJECT_HOME } from "../memalloc/layout.ts";
import { isOffset, type Pages } from "../mm/index.ts";
import { CACHE_FLAGS, FLAG_CONSTRUCTOR, FLAG_TYPESAFE_BY_RCU } from "../mm/layout.ts";
import type { Callbacks } from "../rcu/index.ts";
import type { Findings } from "./findings.ts";
import type { FreeCheck } from "./free-check.ts";
import {
  FREED_BYTE,
  FRONT_BYTES,
  HOW_HOME,
  HOW_RAW,
  HOW_SLAB,
  KIND_DEBUG,
  STATE_GONE,
  STATE_LIVE,
  STATE_QUARANTINED,
  STATE_WAITING,
} from "./layout.ts";
import { isGuarded, type Memory, memoryAround, memoryAt } from "./placement.ts";
import type { Entry, Quarantine } from "./quarantine.ts";
import { type Caller, isRecord, moveState, setFreed, setState, sizeOf } from "./record.ts";
import type { Reports } from "./reports.ts";
import { closeZones, fillBytes } from "./zones.ts";

/** What it stands on. */
export interface RetireParts {
  readonly cpu: Cpu;
  readonly pages: Pages;
  readonly callbacks: Callbacks;
  readonly supply: Supply;
  readonly pipeline: Pipeline;
  readonly quarantine: Quarantine;
  readonly reports: Reports;
  readonly findings: Findings;
  readonly check: FreeCheck;
}

/** Callbacks that a freeRcu runs: more than the one that it gives. */
const RUN_CALLBACKS = 2;

export class Retire {
  /** Frees a slab object or block of pages, as kfree does: its offset. Set by who has the release mode's kmalloc. */
  freeMemory: (start: number) => void = () => {};
  private readonly parts: RetireParts;
  private readonly words: Words;

  constructor(parts: RetireParts) {
    this.parts = parts;
    this.words = parts.pages.words;
  }

  /** Frees the object at `p`, which was found live. False: another thread was faster, and nothing was changed. */
  free(p: number, memory: Memory, how: number, by: Caller): boolean {
    if (!this.take(p, memory, STATE_QUARANTINED, by)) return false;
    const home = how === HOW_SLAB ? 0 : this.homeIn(p);
    const isKept = this.keepsContents(home, memory);
    if (home !== 0) this.parts.pipeline.hold(nodeOf(p), home);
    this.enter({ p, home, bytes: memory.bytes, how, isKept });
    this.advance(home);
    return true;
  }

  /** The same for an allocator's object at which readers may look until they are through. */
  freeRcu(p: number, memory: Memory, by: Caller): boolean {
    if (!this.take(p, memory, STATE_WAITING, by)) return false;
    // callbacks may give the object back
    const home = this.homeIn(p);
    this.parts.pipeline.hold(nodeOf(p), home);
    this.parts.callbacks.call(KIND_DEBUG, nodeOf(p) + OBJECT_CHECK);
    // the grace period is driven on, so that a loop of nothing else stays bounded
    if (this.parts.cpu.inTask()) this.runReady(RUN_CALLBACKS);
    this.advance(home);
    return true;
  }

  /** Callback: no reader sees the object any more. `item`: its link, as a chain of one. */
  readersLeft(item: number): void {
    const p = (item - OBJECT_CHECK) * 4 + FRONT_BYTES;
    const home = this.homeIn(p);
    const memory = this.memoryOf(p);
    this.look(p, memory, true);
    setState(this.words, p, STATE_QUARANTINED);
    const isKept = this.keepsContents(home, memory);
    this.enter({ p, home, bytes: memory.bytes, how: HOW_HOME, isKept });
  }

  /**
   * `alloc` got nothing: it is tried again with what this CPU holds back, the oldest objects first. Not in task context,
   * where all has been given up before NULL: see AtLimits.
   */
  retry(alloc: () => number): number {
    return this.parts.cpu.inTask() ? 0 : this.retryNolock(alloc);
  }

  /** The same for what does its own few steps in any context. */
  retryNolock(alloc: () => number): number {
    let got = 0;
    while (got === 0 && this.evict()) got = alloc();
    return got;
  }

  /** Gives up all that this CPU holds back, but for what readers may see. Returns how many objects that was. */
  makeRoom(): number {
    // no limit: there are fewer objects than words
    this.runReady(this.words.length);
    let count = 0;
    while (this.evict()) count++;
    return count;
  }

  /** The object at `p` goes back to slab by other ways. */
  forget(p: number, by: Caller): void {
    setFreed(this.words, p, by);
    setState(this.words, p, STATE_GONE);
  }

  /** True if the offset is in the memory of an object of an allocator that debug mode covers. */
  isGuardedAt(p: number): boolean {
    const { pages } = this.parts;
    const memory = isOffset(pages, p) ? memoryAround(pages, p) : undefined;
    return memory !== undefined && memory.cache !== 0 && isGuarded(pages, memory.cache);
  }

  /** The memory of the object at `p`, which is known to be one. */
  memoryOf(p: number): Memory {
    return memoryAt(this.parts.pages, p) as Memory;
  }

  /** True if objects keep what they held when they are freed: those of allocators with that home, or of that slab cache. */
  keepsContents(home: number, { cache }: Memory): boolean {
    if (home !== 0) return this.parts.supply.destructorOf(home) !== 0;
    const flags = cache === 0 ? 0 : readPrivate(this.words, cache + CACHE_FLAGS);
    return (flags & (FLAG_CONSTRUCTOR | FLAG_TYPESAFE_BY_RCU)) !== 0;
  }

  /** The home of an allocator's object, whether it is out or here. */
  homeIn(p: number): number {
    const home = readPrivate(this.words, nodeOf(p) + OBJECT_HOME);
    // a chain of one has it so
    return home < 0 ? ~home : home;
  }

  /** All that has left quarantine goes on to slab, unless readers are in the way: this CPU is going. */
  drain(): void {
    this.parts.pipeline.advance(this.words.length);
  }

  /** What has left quarantine goes on to slab, where release mode would see to that: in trims. */
  private advance(home: number): void {
    const { cpu, pipeline } = this.parts;
    if (home !== 0 && cpu.inTask() && !cpu.isHelped && pipeline.isBacklogged(home)) pipeline.advance();
  }

  private runReady(limit: number): void {
    this.parts.callbacks.run(this.parts.cpu.id, KIND_DEBUG, limit);
  }

  /** The first step of a free: the object is no longer live. */
  private take(p: number, memory: Memory, state: number, by: Caller): boolean {
    if (!moveState(this.words, p, STATE_LIVE, state)) return false;
    setFreed(this.words, p, by);
    this.look(p, memory, true);
    return true;
  }

  /** An object comes into quarantine, if that takes it. */
  private enter(entry: Entry): void {
    const { quarantine } = this.parts;
    const isTaken = quarantine.takes(entry.bytes);
    // an allocator's is looked at when it is handed out again, too
    if (isTaken || entry.home !== 0) this.poison(entry);
    if (!isTaken) {
      this.giveBack(entry);
      return;
    }
    try {
      // ends: nothing that is nested in an eviction comes in
      while (!quarantine.hasRoom(entry.bytes) && this.evict());
    } finally {
      // also if the destructor of one that left has thrown: that has made room for one
      quarantine.push(entry);
    }
  }

  private poison({ p, isKept }: Entry): void {
    if (isKept || !isRecord(this.words, p)) return;
    fillBytes(this.words, p, p + sizeOf(this.words, p), FREED_BYTE);
  }

  /** Takes the oldest object out. False: there is none. */
  private evict(): boolean {
    const entry = this.parts.quarantine.take();
    if (entry === undefined) return false;
    const memory = memoryAt(this.parts.pages, entry.p);
    if (memory !== undefined) this.look(entry.p, memory, entry.isKept);
    this.parts.quarantine.leaving(() => this.giveBack(entry));
    return true;
  }

  private giveBack({ p, home, how }: Entry): void {
    const { pipeline, pages } = this.parts;
    setState(this.words, p, STATE_GONE);
    if (how === HOW_SLAB) this.freeMemory(memoryAt(pages, p)?.start ?? p);
    else pipeline.letGo(nodeOf(p), home, how === HOW_RAW);
  }

  /** Finds what was overwritten; it is mended, so that it is told once. */
  private look(p: number, memory: Memory, isKept: boolean): void {
    const { reports, findings } = this.parts;
    if (!isRecord(this.words, p)) {
      findings.add(reports.lostRecord("", p, this.parts.check.neighbour(memory)));
      return;
    }
    const damage = reports.damage(p, memory, isKept);
    if (damage === "") return;
    findings.add(reports.corrupt("", p, damage));
    if (!isKept) fillBytes(this.words, p, p + sizeOf(this.words, p), FREED_BYTE);
    closeZones(this.words, p, p + sizeOf(this.words, p), memory.end);
  }
}

/** The address of the header of an allocator's object. */
function nodeOf(p: number): number {
  return (p - FRONT_BYTES) >>> 2;
}
