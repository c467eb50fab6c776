/** What lies where in a heap, by names that a table can have. */
import { Directory, Memblock, openArena } from "#src/arena/index.js";
import { HEADER_WORDS, KIND_MEMCG, PAGE_WORDS, RECORD_WORDS } from "#src/arena/layout.js";
import { layOut, type Tables } from "#src/boot.js";
import { Cpus } from "#src/cpu/index.js";
import type { HeapToken } from "#src/index.js";
import { LOCAL_QUEUES } from "#src/rcu/layout.js";

const LINE_WORDS = 16;

/** A place begins at `from`, and goes on to the next one. */
interface Place {
  readonly from: number;
  readonly name: string;
}

/** Lines that take turns: of a cache, and of a slab cache. */
const CACHE_LINES = ["cache: its CPU's line", "cache: line for others"];
const SLAB_CACHE_LINES = ["slab cache: shape", "slab cache: lists"];

export class Places {
  private readonly places: Place[] = [];
  private readonly groups: readonly number[];

  /** Of a heap on which all allocators have been opened. */
  constructor(token: HeapToken) {
    const arena = openArena(token);
    const memblock = new Memblock(HEADER_WORDS);
    const directory = new Directory(arena, memblock);
    const afterDirectory = memblock.reserve(0);
    new Cpus(arena.words, arena.geometry.maxCpus, memblock);
    const tables = layOut(arena, arena.words.length / PAGE_WORDS);
    this.groups = [...directory.ofKind(KIND_MEMCG)];
    this.add(0, "header");
    this.add(HEADER_WORDS, "directory");
    this.add(afterDirectory, "CPU slots");
    this.addTables(tables);
    for (let cpu = 0; cpu < arena.geometry.maxCpus; cpu++) this.addArea(tables, cpu);
    this.places.sort((a, b) => a.from - b.from);
  }

  nameOf(word: number): string {
    if (this.groups.some((record) => word >= record && word < record + RECORD_WORDS)) return "group";
    return this.places[this.indexOf(word)].name;
  }

  /** The last place that begins at or before `word`. */
  private indexOf(word: number): number {
    let low = 0;
    for (let high = this.places.length; high - low > 1; ) {
      const middle = (low + high) >> 1;
      if (this.places[middle].from <= word) low = middle;
      else high = middle;
    }
    return low;
  }

  private add(from: number, name: string): void {
    this.places.push({ from, name });
  }

  private addTables(tables: Tables): void {
    const { cacheSets, pages, rcu, memalloc, memcg, firstPage } = tables;
    this.addLines(cacheSets, pages.levels[0], SLAB_CACHE_LINES);
    for (const level of pages.levels) this.add(level, "page bitmaps");
    this.add(pages.descriptors, "slab descriptors");
    this.add(pages.counters, "page counters");
    this.add(rcu.shared, "rcu numbers");
    this.add(memalloc, "registry");
    this.add(memcg, "registry");
    this.add(firstPage * PAGE_WORDS, "objects");
  }

  private addArea({ areas, hints, slabLocal, chargeStock, percpuFree, rcu }: Tables, cpu: number): void {
    const area = areas.areaOf(cpu);
    this.add(area, "CPU's context, work");
    this.add(area + hints, "CPU's page hints");
    this.add(area + slabLocal, "CPU's slabs");
    this.add(area + rcu.local, "CPU's rcu readers");
    this.add(area + rcu.local + LOCAL_QUEUES, "CPU's rcu queues");
    this.add(area + chargeStock, "CPU's charges");
    this.addLines(area + percpuFree, area + areas.areaWords, CACHE_LINES);
  }

  private addLines(from: number, end: number, names: readonly string[]): void {
    for (let at = from, i = 0; at < end; at += LINE_WORDS, i++) this.add(at, names[i % names.length]);
  }
}
