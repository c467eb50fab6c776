/**
 * freeRcu under readers: one slot that points at an object of an allocator, CPUs that replace it and free the old
 * one, readers that look twice. Each allocation writes a number of its own into the object.
 */
import type { Booted, Tuning } from "#src/boot.js";
import type { MemCache } from "#src/memalloc/index.js";
import { loadAcquire, storeRelease, xchg } from "../engine/primitive.ts";
import type { Call, Prepared } from "../engine/scenario.ts";
import { Violation } from "../engine/violation.ts";
import type { Library } from "../library.ts";
import { checkBooks } from "../oracles/books.ts";
import { abstractRcu } from "./abstract-rcu.ts";
import { bootCpus, freeWords, pollUntilQuiet, SMALL } from "./small-heap.ts";

/** More than were free before. */
const STOLEN = 5;

export interface FreeRcuOptions {
  /** Objects of a chain. */
  readonly batch: number;
  readonly abstract: boolean;
  readonly traceImpliesRcu?: boolean;
  /** Bytes of an object. Default 2040: two to a slab. */
  readonly size?: number;
}

export class FreeRcuClients implements Prepared {
  readonly words: Int32Array;
  readonly cpus = 2;
  readonly nested: readonly Call[];
  readonly calls: Record<
    "read" | "readAsync" | "steal" | "replace" | "free" | "alloc" | "poll" | "comeBack",
    Call
  >;
  private readonly library: Library;
  private readonly booted: readonly Booted[];
  private readonly pools: readonly MemCache[];
  private readonly slot: number;
  private readonly size: number;
  private serials = [0, 0];
  private readonly held: number[][] = [[], []];

  constructor(library: Library, { batch, abstract, traceImpliesRcu = true, size = 2040 }: FreeRcuOptions) {
    this.library = library;
    const watermarks = () => ({ low: 1, high: 2 * batch, batch, prefill: 2 });
    const tuning: Tuning = { ...SMALL, watermarks };
    this.booted = bootCpus(library, this.cpus, 24, tuning, { traceImpliesRcu });
    this.words = this.booted[0].arena.words;
    if (abstract) abstractRcu(this.booted);
    this.pools = this.booted.map(({ allocators }) => allocators.openMemCache("objects", size));
    this.size = size;
    [this.slot] = freeWords(this.booted[0], 1);
    const first = this.pools[0].alloc();
    this.words[first >>> 2] = 99;
    this.words[this.slot] = first;
    this.calls = this.makeCalls();
    this.nested = [this.calls.read];
  }

  reset(): void {
    this.serials = [0, 0];
    for (const list of this.held) list.length = 0;
  }

  fingerprint(cpu: number): number {
    return this.held[cpu].reduce((hash, p) => Math.imul(hash, 31) + p, this.serials[cpu] + 1) | 0;
  }

  quiesce(dead: readonly number[]): void {
    if (dead.length > 0) return;
    pollUntilQuiet(this.library, this.booted);
  }

  finish(dead: readonly number[]): void {
    if (dead.length > 0) return;
    const out = [...this.held.flat(), this.words[this.slot]];
    checkBooks(this.library, this.booted[0], out, dead);
    const { inspect } = this.library;
    const { rcu } = inspect.stats(this.booted[0]);
    if (rcu.waitingBytes > 0 || this.chains() > 0)
      throw new Violation(
        "not-at-rest",
        `${rcu.waitingBytes} bytes wait in ${this.chains()} chains for nobody`,
      );
  }

  /** Chains anywhere. */
  private chains(): number {
    const caches = this.booted.flatMap(({ allocators }) => allocators.ownCaches());
    return caches.reduce((sum, cache) => sum + this.words[cache + this.library.cacheLayout.CHAINS], 0);
  }

  private makeCalls(): FreeRcuClients["calls"] {
    const serial = (cpu: number) => 100 * cpu + ++this.serials[cpu];
    return {
      read: { name: "read", run: (cpu) => this.read(cpu) },
      steal: { name: "kmalloc", run: (cpu) => this.steal(cpu) },
      readAsync: { name: "read, async", run: (cpu) => this.readAsync(cpu) },
      replace: { name: "replace", begin: serial, run: (cpu, number) => this.replace(cpu, number, true) },
      free: {
        name: "replace, plain free",
        begin: serial,
        run: (cpu, number) => this.replace(cpu, number, false),
      },
      alloc: {
        name: "alloc",
        begin: serial,
        run: (cpu, number) => this.allocate(cpu, number),
        done: (cpu, _argument, p) => this.held[cpu].push(p),
      },
      poll: {
        name: "poll",
        run: (cpu) => {
          this.library.task.poll(this.booted[cpu]);
          return 0;
        },
      },
      comeBack: { name: "give up, open", run: (cpu) => this.comeBack(cpu) },
    };
  }

  private allocate(cpu: number, serial: number): number {
    const p = this.pools[cpu].alloc();
    if (p === 0) throw new Violation("spurious-null", "alloc in task context returned NULL with memory left");
    storeRelease(this.words, p >>> 2, serial);
    return p;
  }

  private replace(cpu: number, serial: number, rcu: boolean): number {
    const old = xchg(this.words, this.slot, this.allocate(cpu, serial));
    if (rcu) this.pools[cpu].freeRcu(old);
    else this.pools[cpu].free(old);
    return 0;
  }

  private comeBack(cpu: number): number {
    this.booted[cpu].allocators.giveUpAll();
    this.booted[cpu].allocators.openMemCache("objects", this.size);
    return 0;
  }

  /** A synchronous reader: the object stays what it is; freed plainly, it may become another one of its type, and no more. */
  private read(cpu: number): number {
    const { rcu } = this.booted[cpu];
    rcu.readLock();
    const p = loadAcquire(this.words, this.slot);
    const before = loadAcquire(this.words, p >>> 2);
    const after = loadAcquire(this.words, p >>> 2);
    rcu.readUnlock();
    if (before === after) return before;
    throw new Violation("early-reuse", `object ${p} was used again under a reader: ${before}, then ${after}`);
  }

  /** Takes memory of that size from slab, for something else. */
  private steal(cpu: number): number {
    for (let i = 0; i < STOLEN; i++) {
      const p = this.booted[cpu].kmalloc.alloc(this.size);
      // where the payload of an object would be
      if (p !== 0) storeRelease(this.words, (p >>> 2) + this.library.cacheLayout.HEADER_WORDS, p);
    }
    return 0;
  }

  /** An async one: the memory stays an object, free or not, of this allocator. */
  private readAsync(cpu: number): number {
    const { trace, pages } = this.booted[cpu];
    const phase = trace.enter();
    const p = loadAcquire(this.words, this.slot);
    const use = pages.use(pages.pageAt(p >>> 2));
    const taken = this.isTaken(cpu, p);
    trace.exit(phase);
    if (use !== 0 && taken) return p;
    throw new Violation("early-reuse", `object ${p} went back to slab under an async reader`);
  }

  /** True while slab has the object as given out: its slab is not empty. */
  private isTaken(cpu: number, p: number): boolean {
    const { pages } = this.booted[cpu];
    const { DESC_STATE, STATE_IN_USE_SHIFT, STATE_FIELD_MASK } = this.library.mmLayout;
    const state = loadAcquire(this.words, pages.descriptor(pages.pageAt(p >>> 2)) + DESC_STATE);
    return ((state >>> STATE_IN_USE_SHIFT) & STATE_FIELD_MASK) > 0;
  }
}
