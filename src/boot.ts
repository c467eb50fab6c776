/**
 * Boot: one thread's layers over a heap, bottom-up. Creator and attachers take the same steps, so
 * they lay out the same tables at the same addresses; the creator also fills them in.
 */
import { storeRelease, type Words, zeroPrivate } from "#primitive";
import {
  Arena,
  Directory,
  type Geometry,
  Memblock,
  publishArena,
  resolveGeometry,
  SharedHeapError,
  writeHeader,
} from "./arena/index.ts";
import { HEADER_WORDS, PAGE_BYTES, PAGE_WORDS, PERCPU_USED, RECORDS_WORDS } from "./arena/layout.ts";
import { Cpu, Cpus, type DeferredWork, type IrqWorkMode, PercpuAreas } from "./cpu/index.ts";
import { AREA_CPU_WORDS } from "./cpu/layout.ts";
import {
  Debug,
  DebugDestructors,
  type DebugPlace,
  DebugRcu,
  DebugTasksTrace,
  reserveDebug,
  Sections,
  Sites,
} from "./debug/index.ts";
import { DEBUG_SLAB_SIZES, KIND_DEBUG } from "./debug/layout.ts";
import type { System } from "./inspect/index.ts";
import {
  Allocators,
  Caches,
  Destructors,
  Helper,
  Inbox,
  Pipeline,
  type Program,
  Registry,
  Supply,
  type Watermarks,
  watermarksOf,
} from "./memalloc/index.ts";
import { GATHER_CHAINS, KEEP_CHAINS } from "./memalloc/layout.ts";
import {
  CacheSets,
  Charges,
  cacheCount,
  Kmalloc,
  MemcgStock,
  Memcgs,
  Pages,
  type PageTables,
  Percpu,
  reserveCacheSets,
  reservePageTables,
  Slab,
} from "./mm/index.ts";
import { HINT_WORDS, KIND_SLAB, SLAB_CPU_WORDS, STOCK_BATCH, STOCK_WORDS, TAKER_TRIES } from "./mm/layout.ts";
import { Barriers, Callbacks, type Kind, Rcu, type RcuPlace, TasksTrace } from "./rcu/index.ts";
import { LOCAL_SNAPSHOT, SHARED_WORDS } from "./rcu/layout.ts";
import { tell } from "./tell.ts";

/** A heap must have at least this many pages behind its tables. */
const MIN_PAGES = 16;

/** Constants that a checker makes small, so that it gets to their limits soon. The same on every thread. */
export interface Tuning {
  readonly watermarks: (unitBytes: number) => Watermarks;
  /** Tries for a slab cache's taker word. */
  readonly takerTries: number;
  /** Chains that gather before a refill drives their grace period. */
  readonly gatherChains: number;
  /** Chains that stay at a home that is in use. */
  readonly keepChains: number;
  /** Units that a stock of charges is refilled with. */
  readonly chargeBatch: number;
  /** When this CPU's deferred work runs. */
  readonly mode?: IrqWorkMode | undefined;
  /** This thread's number, never used again; 0: not known. */
  readonly thread?: number;
  /** Gives 32 random bits, for the id of a heap that is made. Without it all have the same. */
  readonly random?: () => number;
  /** Called when something waits for a turn of this thread, or a poll. */
  readonly wake?: (() => void) | undefined;
  /** What is done in this thread about allocators that go away. */
  readonly program?: Program;
}

const DEFAULT_TUNING: Tuning = {
  watermarks: watermarksOf,
  takerTries: TAKER_TRIES,
  gatherChains: GATHER_CHAINS,
  keepChains: KEEP_CHAINS,
  chargeBatch: STOCK_BATCH,
};

/** For threads whose allocators nobody waits for. */
const NO_PROGRAM: Program = {
  gaveUp: () => {},
  when: () => Promise.resolve({ leaked: [] }),
  atMax: () => {},
  atEnd: () => false,
};

/** The tables, and the layers that need no CPU. */
export interface Tables {
  readonly directory: Directory;
  readonly cpus: Cpus;
  readonly areas: PercpuAreas;
  readonly pages: PageTables;
  readonly cacheSets: number;
  readonly rcu: RcuPlace;
  readonly memalloc: number;
  readonly memcg: number;
  /** In debug heaps. */
  readonly debug: DebugPlace | undefined;
  /** Offsets in each CPU's area: of the page allocator's hints, of the slab caches' parts, of the stock of charges, and of the rest. */
  readonly hints: number;
  readonly slabLocal: number;
  readonly chargeStock: number;
  readonly percpuFree: number;
  readonly firstPage: number;
}

/** A thread's layers. */
export interface Booted extends System {
  readonly tuning: Tuning;
  readonly barriers: Barriers;
  readonly destructors: Destructors;
  readonly helper: Helper;
}

/**
 * Fills in a new heap, whose memory is zero unless `dirty`, and attaches this thread. Errors, before
 * anything is written: `bad-option`. `sizes`: the options as given, for the advice in that error.
 */
export function bootCreator(
  arena: Arena,
  name: string,
  dirty: boolean,
  tuning: Partial<Tuning> = {},
  sizes: Partial<Geometry> = arena.geometry,
): Booted {
  const tables = layOut(arena, pagesOf(arena));
  if (!hasRoom(arena, tables)) {
    throw new SharedHeapError(
      "bad-option",
      `a heap of ${arena.geometry.bytes} bytes is too small for these options: needs at least ` +
        `${pagesNeeded(arena, sizes) * PAGE_BYTES} bytes, or fewer maxCpus, percpuBytes, maxNames`,
    );
  }
  writeHeader(arena, tuning.random);
  // a debug heap must not take what an earlier one left in its pages for objects
  const end = arena.geometry.debug ? arena.words.length : tables.firstPage * PAGE_WORDS;
  if (dirty) zeroPrivate(arena.words, HEADER_WORDS, end - HEADER_WORDS);
  storeRelease(arena.words, PERCPU_USED, tables.percpuFree);
  const all = { ...DEFAULT_TUNING, ...tuning };
  const booted = layersOf(arena, tables, tables.cpus.attach(name, all.thread), all);
  booted.rcu.format();
  booted.trace.format();
  booted.pages.format(tables.firstPage);
  booted.kmalloc.sets.format(tables.slabLocal, arena.geometry.maxCpus);
  publishArena(arena);
  return booted;
}

/** Attaches this thread to a heap. Errors: `full`, `geometry`. */
export function bootAttacher(arena: Arena, name: string, tuning: Partial<Tuning> = {}): Booted {
  const tables = layOut(arena, pagesOf(arena));
  if (!hasRoom(arena, tables)) {
    throw new SharedHeapError("geometry", "the heap's header is damaged: its tables would not fit into it");
  }
  const all = { ...DEFAULT_TUNING, ...tuning };
  return layersOf(arena, tables, tables.cpus.attach(name, all.thread), all);
}

/** The layers with which `system`'s thread acts as another CPU, whose own thread is dead. */
export function bootAs(system: Booted, cpu: number): Booted {
  const { arena, tuning } = system;
  // it must get through with that, whatever they throw
  const destructors = system.destructors.through(tell);
  const own = { ...tuning, program: NO_PROGRAM, wake: undefined, mode: undefined };
  return layersOf(arena, layOut(arena, pagesOf(arena)), cpu, own, { claim: system.cpu.claim, destructors });
}

function pagesOf(arena: Arena): number {
  return arena.words.length / PAGE_WORDS;
}

function hasRoom(arena: Arena, tables: Tables): boolean {
  return pagesOf(arena) - tables.firstPage >= MIN_PAGES;
}

/** The pages that a heap with these options must have. The tables grow with it, by far less than it does. */
function pagesNeeded(arena: Arena, sizes: Partial<Geometry>): number {
  let pages = 0;
  for (let next = MIN_PAGES; next > pages; ) {
    pages = next;
    const geometry = resolveGeometry(sizes, pages * PAGE_BYTES);
    next = layOut(new Arena(arena.words, arena.token, geometry), pages).firstPage + MIN_PAGES;
  }
  return pages;
}

/** Where everything lies in a heap of `total` pages. */
export function layOut(arena: Arena, total: number): Tables {
  const memblock = new Memblock(HEADER_WORDS);
  const percpu = new Memblock(AREA_CPU_WORDS);
  const directory = new Directory(arena, memblock);
  const cpus = new Cpus(arena.words, arena.geometry.maxCpus, memblock);
  const largerSlabs = largerSlabsOf(arena);
  const cacheSets = reserveCacheSets(memblock, largerSlabs);
  const pages = reservePageTables(total, memblock);
  const areas = new PercpuAreas(arena, memblock);
  const rcuShared = memblock.reserve(SHARED_WORDS);
  const memalloc = memblock.reserve(RECORDS_WORDS);
  const memcg = memblock.reserve(RECORDS_WORDS);
  const debug = reserveDebug(arena.geometry, memblock);
  const hints = percpu.reserve(HINT_WORDS);
  const slabLocal = percpu.reserve(cacheCount(largerSlabs) * SLAB_CPU_WORDS);
  const rcuLocal = percpu.reserve(LOCAL_SNAPSHOT + arena.geometry.maxCpus);
  const chargeStock = percpu.reserve(STOCK_WORDS);
  const percpuFree = percpu.reserve(0);
  const firstPage = Math.ceil(memblock.end / PAGE_WORDS);
  return {
    directory,
    cpus,
    areas,
    pages,
    cacheSets,
    memalloc,
    memcg,
    debug,
    rcu: { shared: rcuShared, local: rcuLocal },
    hints,
    slabLocal,
    chargeStock,
    percpuFree,
    firstPage,
  };
}

/** Slab sizes that this heap has besides the usual ones. */
function largerSlabsOf(arena: Arena): readonly number[] {
  return arena.geometry.debug ? DEBUG_SLAB_SIZES : [];
}

/** Read sections and grace periods. `kinds` is filled in later. */
function rcuLayers(tables: Tables, cpu: Cpu, sections: Sections | undefined, kinds: readonly Kind[]) {
  const { cpus, areas } = tables;
  const { id, tracepoints } = cpu;
  const rcu =
    sections === undefined
      ? new Rcu(tables.rcu, id, cpus, areas, tracepoints)
      : new DebugRcu(sections, tables.rcu, id, cpus, areas, tracepoints);
  const trace =
    sections === undefined
      ? new TasksTrace(tables.rcu, id, cpus, areas)
      : new DebugTasksTrace(sections, tables.rcu, id, cpus, areas);
  const callbacks = new Callbacks(tables.rcu, cpu, cpus, areas, rcu, trace, kinds);
  const barriers = new Barriers(tables.rcu, id, cpus, areas, callbacks);
  return { rcuPlace: tables.rcu, rcu, trace, callbacks, barriers };
}

/** What debug mode notes for all threads: call sites, and open sections. */
function notesOf(words: Words, place: DebugPlace | undefined) {
  if (place === undefined) return undefined;
  const sites = new Sites(words, place.sites, place.siteCount);
  return { place, sites, sections: new Sections(words, place.sections, sites) };
}

/** The layers over a CPU, `id`. `actor`: what belongs to the thread that acts as it, if that is another CPU's. */
function layersOf(
  arena: Arena,
  tables: Tables,
  id: number,
  tuning: Tuning,
  actor?: { readonly claim: number; readonly destructors: Destructors },
): Booted {
  const { directory, cpus, areas, firstPage } = tables;
  const work: DeferredWork = { irq: () => true, turn: () => true };
  const kinds: Kind[] = [];
  const cpu = new Cpu(id, cpus, areas, work, tuning.wake, tuning.mode, actor?.claim);
  const notes = notesOf(arena.words, tables.debug);
  const grace = rcuLayers(tables, cpu, notes?.sections, kinds);
  const { rcu, callbacks } = grace;
  const pages = new Pages(arena, tables.pages, cpu.area + tables.hints);
  const afterReaders = (link: number) => callbacks.call(KIND_SLAB, link);
  const slab = new Slab(pages, cpu, afterReaders, tuning.takerTries);
  const sets = new CacheSets(arena.words, tables.cacheSets, largerSlabsOf(arena));
  const percpu = new Percpu(slab, sets.percpu, arena.geometry.maxCpus);
  const destructors =
    actor?.destructors ?? (notes ? new DebugDestructors(directory, pages) : new Destructors(directory));
  const charges = new MemcgStock(cpu, new Charges(arena.words), tables.chargeStock, tuning.chargeBatch);
  const memcgs = new Memcgs(directory, tables.memcg, charges);
  const supply = new Supply(slab, memcgs);
  const { gatherChains, keepChains } = tuning;
  const pipeline = new Pipeline(cpu, areas, supply, callbacks, destructors, gatherChains, keepChains);
  const registry = new Registry(directory, areas, tables.memalloc);
  const below = { directory, cpus, cpu, slab, callbacks, supply, pipeline, registry };
  const debug = notes && new Debug({ ...notes, ...below });
  const kmalloc = debug?.kmalloc(slab, sets, percpu, directory) ?? new Kmalloc(slab, sets, percpu, directory);
  const inbox = new Inbox(cpu, cpus);
  const { watermarks, program = NO_PROGRAM } = tuning;
  const ownCaches = () => allocators.ownCaches();
  const limits = debug ? { ...program, collect: () => debug.retire.makeRoom() } : program;
  const caches = new Caches(cpu, kmalloc, supply, rcu, pipeline, inbox, ownCaches, limits);
  const lists = { directory, registry, areas, kmalloc, caches, destructors, memcgs };
  const allocators = new Allocators({ ...lists, watermarks, program, guard: debug });
  const helper = new Helper(cpu, cpus, areas, supply, pipeline, inbox, allocators);
  kinds.push(...pipeline.kinds(arena.geometry.traceImpliesRcu));
  kinds[KIND_SLAB] = { rcu: true, trace: false, handler: (link) => slab.lists.readersLeft(link) };
  if (debug !== undefined) kinds[KIND_DEBUG] = debug.kind;
  work.irq = (item) => caches.work(item);
  work.turn = (item) => caches.turn(item);
  const { chargeStock } = tables;
  const base = { arena, directory, cpus, cpu, areas, firstPage, tuning, ...grace, pages, kmalloc };
  return { ...base, memcgs, chargeStock, registry, allocators, destructors, helper, debug };
}
