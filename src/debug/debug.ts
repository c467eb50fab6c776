/** Debug mode as one thread has it: what boot puts between its layers, and what the facade asks. */
import { type Directory, shown } from "../arena/index.ts";
import { RECORD_DATA } from "../arena/layout.ts";
import type { Cpu, Cpus } from "../cpu/index.ts";
import type {
  Guard,
  MemAlloc,
  MemCache,
  Opened,
  Pipeline,
  Registry,
  Supply,
  Watermarks,
} from "../memalloc/index.ts";
import { ALLOC_KEY, OBJECT_CHECK } from "../memalloc/layout.ts";
import type {
  CacheSets,
  Kmalloc,
  KmemCache,
  KmemCacheOptions,
  KmemGuard,
  Percpu,
  Slab,
} from "../mm/index.ts";
import type { Callbacks, Kind } from "../rcu/index.ts";
import { Blocks } from "./blocks.ts";
import { Findings } from "./findings.ts";
import { FreeCheck } from "./free-check.ts";
import { HandOut } from "./hand-out.ts";
import { DebugKmalloc } from "./kmalloc.ts";
import { bytesAround, DebugKmemCache } from "./kmem-cache.ts";
import { AROUND_BYTES, FRONT_BYTES, STATE_LIVE } from "./layout.ts";
import { DebugMemAlloc } from "./mem-alloc.ts";
import { DebugMemCache } from "./mem-cache.ts";
import type { DebugPlace } from "./place.ts";
import { type FreeLeaked, Pools } from "./pools.ts";
import { type Entry, Quarantine } from "./quarantine.ts";
import { isRecord, isUnmade, stateOf } from "./record.ts";
import { Reports } from "./reports.ts";
import { Retire } from "./retire.ts";
import type { Sections } from "./sections.ts";
import type { Sites } from "./sites.ts";

/** Callbacks of each queue that a poll runs: an object each. */
const POLL_CALLBACKS = 2048;

/** What it stands on. */
export interface DebugParts {
  readonly place: DebugPlace;
  readonly sites: Sites;
  readonly sections: Sections;
  readonly directory: Directory;
  readonly cpus: Cpus;
  readonly cpu: Cpu;
  readonly slab: Slab;
  readonly callbacks: Callbacks;
  readonly supply: Supply;
  readonly pipeline: Pipeline;
  readonly registry: Registry;
}

/** What debug mode holds back, over all CPUs. */
export interface DebugStats {
  /** Objects in quarantine, and the bytes of slab and pages behind them. */
  readonly quarantined: number;
  readonly quarantinedBytes: number;
  /** Places in programs that allocated, freed or opened read sections. */
  readonly sites: number;
}

export class Debug implements Guard, KmemGuard {
  readonly aroundBytes = AROUND_BYTES;
  readonly sections: Sections;
  readonly findings: Findings;
  readonly reports: Reports;
  readonly check: FreeCheck;
  readonly retire: Retire;
  private readonly parts: DebugParts;
  private readonly quarantine: Quarantine;
  private readonly pools: Pools;
  private readonly blocks: Blocks;

  constructor(parts: DebugParts) {
    const { place, sites, directory, cpus, cpu, slab } = parts;
    const { pages } = slab;
    this.parts = parts;
    this.sections = parts.sections;
    this.findings = new Findings(cpu.wake);
    this.reports = new Reports(directory, cpus, sites);
    this.check = new FreeCheck(pages, this.reports);
    this.quarantine = this.quarantineOf(cpu.id);
    this.quarantine.open(place.quarantineBytes);
    this.sections.reset(cpu.id);
    const { findings, reports, check, quarantine } = this;
    this.retire = new Retire({ ...parts, pages, findings, reports, check, quarantine });
    const handOut = new HandOut(pages, reports, findings);
    const shared = { cpu, sites, handOut, check, reports, findings, retire: this.retire };
    this.pools = new Pools(shared);
    this.blocks = new Blocks(shared);
  }

  // -- what boot puts in the place of what release mode has -------------------------------------

  kmalloc(slab: Slab, sets: CacheSets, percpu: Percpu, directory: Directory): Kmalloc {
    return new DebugKmalloc(this.blocks, this.retire, slab, sets, percpu, directory);
  }

  memAlloc(opened: Opened, table: Int32Array, areaWords: number): MemAlloc {
    return new DebugMemAlloc(this.pools, opened, table, areaWords);
  }

  memCache(opened: Opened, size: number, cache: number, watermarks: Watermarks): MemCache {
    return new DebugMemCache(this.pools, opened, size, cache, watermarks);
  }

  kmemCache(
    kmalloc: Kmalloc,
    cache: number,
    options: KmemCacheOptions,
    collects: readonly (() => boolean)[],
  ): KmemCache {
    return new DebugKmemCache(this.blocks, kmalloc, cache, options, collects);
  }

  kmemBytes(align: number): number {
    return bytesAround(align);
  }

  /** KIND_DEBUG. */
  get kind(): Kind {
    return { rcu: true, trace: false, handler: (item) => this.retire.readersLeft(item) };
  }

  // -- what the facade asks ---------------------------------------------------------------------

  /** Throws unless `p` is a live object of the allocator of that name. For threads that do not have it open. */
  checkLive(name: string, p: unknown): void {
    const ref = this.parts.registry.find(name);
    const key = ref === undefined ? 0 : this.parts.directory.load(ref.record, RECORD_DATA + ALLOC_KEY);
    this.check.live(p, key, `"${name}": free(${shown(p)}): `);
  }

  /** Gives back objects whose allocator is gone. `free` does it, and takes offsets as release mode has them. */
  freeLeaked(leaked: readonly number[], free: FreeLeaked): void {
    this.pools.freeLeaked(leaked, free);
  }

  /** An audit gives the object at `start` back to slab, as release mode knows it: nobody has it any more. */
  forget(start: number): void {
    this.pools.forget(start);
  }

  /**
   * True if a thread died in the middle of handing out the object that release mode has at `start`, and whose header says it
   * is out, or in the middle of taking it back: nobody can free it.
   */
  isInHand(start: number): boolean {
    const { words } = this.parts.slab.pages;
    const p = this.pools.programOffset(start);
    if (p === start) return false;
    return isRecord(words, p) ? stateOf(words, p) !== STATE_LIVE : isUnmade(words, p);
  }

  /** What the program knows an object of an allocator by, which release mode has at `start`. */
  programOffset(start: number): number {
    return this.pools.programOffset(start);
  }

  /**
   * This CPU's part in the end of allocators: the objects that it holds back keep them from being released. And chains of
   * one are more than a poll's share of callbacks is meant for. Task context.
   */
  poll(): void {
    if (this.parts.registry.isDraining) this.retire.makeRoom();
    this.parts.pipeline.advance(POLL_CALLBACKS);
  }

  /** This CPU holds nothing back from here on. */
  close(): void {
    this.quarantine.setLimit(0);
    this.retire.makeRoom();
  }

  /** And has given up its allocators. */
  drain(): void {
    this.retire.drain();
  }

  // -- what the inspector asks ------------------------------------------------------------------

  /** Objects in the quarantines of all CPUs. */
  get quarantined(): Entry[] {
    return this.quarantines().flatMap((quarantine) => quarantine.entries());
  }

  /** Of these, the allocators': as links of chains of one. */
  heldLinks(): number[] {
    const held = this.quarantined.filter(({ home }) => home !== 0);
    return held.map(({ p }) => ((p - FRONT_BYTES) >>> 2) + OBJECT_CHECK);
  }

  stats(): DebugStats {
    const all = this.quarantined;
    const quarantinedBytes = all.reduce((sum, { bytes }) => sum + bytes, 0);
    return { quarantined: all.length, quarantinedBytes, sites: this.parts.sites.count };
  }

  private quarantines(): Quarantine[] {
    return Array.from({ length: this.parts.cpus.maxCpus }, (_, cpu) => this.quarantineOf(cpu));
  }

  private quarantineOf(cpu: number): Quarantine {
    return new Quarantine(this.parts.cpu.words, this.parts.place.rings, cpu);
  }
}
