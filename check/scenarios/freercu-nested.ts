/**
 * One CPU whose calls are interrupted by allocs and frees at any step: batches, chains and extra lists while it
 * works, gives its caches up, opens them again, or ends the allocator.
 */
import type { Booted, Tuning } from "#src/boot.js";
import type { Allocator, MemCache } from "#src/memalloc/index.js";
import { loadAcquire, readPrivate, writePrivate } from "../engine/primitive.ts";
import type { Call, Prepared } from "../engine/scenario.ts";
import { Violation } from "../engine/violation.ts";
import type { Library } from "../library.ts";
import { checkBooks } from "../oracles/books.ts";
import { Ledger } from "../oracles/ledger.ts";
import { abstractRcu } from "./abstract-rcu.ts";
import { bootCpus, pollUntilQuiet, SMALL } from "./small-heap.ts";

const SIZE = 2040;
const NAME = "objects";

type Name = "alloc" | "free" | "freeRcu" | "poll" | "giveUp" | "open" | "destroy" | "leave";

export interface InterruptedOptions {
  /** Objects of a chain. */
  readonly batch: number;
  /** Another CPU is inside a read section: what is freed with freeRcu waits until that has left it. */
  readonly reader: boolean;
}

export class Interrupted implements Prepared {
  readonly words: Int32Array;
  readonly cpus = 1;
  readonly nested: readonly Call[];
  readonly calls: Record<Name, Call>;
  private readonly library: Library;
  private readonly booted: readonly Booted[];
  private readonly pool: MemCache;
  private readonly allocator: Allocator;
  /** Its own objects, and another CPU's. */
  private readonly gifts: readonly number[];
  private readonly ledger = new Ledger(1);
  /** Freed with freeRcu while the other CPU was inside its section. */
  private readonly seen = new Set<number>();
  private readonly reader: boolean;
  private isRead = false;

  constructor(library: Library, { batch, reader }: InterruptedOptions) {
    this.library = library;
    this.reader = reader;
    const watermarks = () => ({ low: batch, high: 2 * batch, batch, prefill: batch });
    const tuning: Tuning = { ...SMALL, watermarks };
    this.booted = bootCpus(library, 2, 24, tuning);
    this.words = this.booted[0].arena.words;
    if (!reader) abstractRcu(this.booted);
    const pools = this.booted.map(({ allocators }) => allocators.openMemCache(NAME, SIZE));
    this.pool = pools[0];
    [this.allocator] = this.booted[0].allocators.list();
    this.gifts = [0, 1, 0, 1].map((cpu) => pools[cpu].alloc());
    for (const p of this.gifts) this.words[p >>> 2] = p;
    if (reader) this.booted[1].rcu.readLock();
    this.calls = this.makeCalls();
    this.nested = this.makeNested();
  }

  reset(): void {
    this.ledger.reset();
    this.seen.clear();
    this.isRead = this.reader;
    for (const p of this.gifts) this.ledger.got(0, p);
  }

  fingerprint(): number {
    return [...this.seen].reduce((hash, p) => hash ^ Math.imul(p, 31), this.ledger.fingerprint(0));
  }

  quiesce(): void {
    this.leave();
    pollUntilQuiet(this.library, this.booted);
  }

  finish(): void {
    const [{ registry, areas }] = this.booted;
    if (registry.isDraining)
      throw new Violation("not-at-rest", "an allocator was destroyed, and does not go away");
    if (!registry.isGone(this.allocator.ref)) checkBooks(this.library, this.booted[0], this.ledger.out, []);
    const used = this.library.inspect.stats(this.booted[0]).slabs.reduce((sum, slab) => sum + slab.used, 0);
    if (registry.isGone(this.allocator.ref) && used !== this.ledger.out.length)
      throw new Violation("leak", `${used} objects are not back in slab, ${this.ledger.out.length} are out`);
    for (let cpu = 0; cpu < areas.maxCpus; cpu++) this.checkNoChains(cpu);
  }

  private checkNoChains(cpu: number): void {
    const [cache] = this.booted[0].allocators.cachesOn(cpu, this.allocator);
    const chains = this.words[cache + this.library.cacheLayout.CHAINS];
    if (chains !== 0) throw new Violation("not-at-rest", `${chains} chains of CPU ${cpu} wait for nobody`);
  }

  private makeCalls(): Interrupted["calls"] {
    const { library } = this;
    const [system] = this.booted;
    const call = (name: string, fn: () => void): Call => ({ name, run: () => zeroAfter(fn) });
    return {
      alloc: {
        name: "alloc",
        run: () => (this.isOpen() ? this.allocate() : -1),
        done: (_cpu, _argument, p) => {
          if (p === 0) throw new Violation("spurious-null", "alloc in task context: NULL with memory left");
          if (p > 0) this.got(p);
        },
      },
      free: this.freeCall("free", 0, (p) => this.pool.free(p)),
      freeRcu: this.freeRcuCall("freeRcu", 0, (p) => this.pool.freeRcu(p)),
      leave: { ...call("reader leaves", () => this.leave()), begin: () => this.forget() },
      poll: call("poll", () => library.task.poll(system)),
      giveUp: call("give up", () => system.allocators.giveUpAll()),
      open: call("open", () => this.isGone() || system.allocators.openMemCache(NAME, SIZE)),
      destroy: call("destroy", () => this.isGone() || system.allocators.destroy(this.allocator)),
    };
  }

  private makeNested(): Call[] {
    const [{ cpu }] = this.booted;
    const inNmi = <T>(fn: () => T): T => cpu.nested(this.library.cpu.NMI_SHIFT, fn);
    const alloc: Call = {
      name: "nested alloc",
      run: () => (this.isOpen() ? inNmi(() => this.allocate()) : 0),
      done: (_cpu, _argument, p) => {
        if (p !== 0) this.got(p);
      },
    };
    const free = this.freeCall("nested free", 1, (p) => inNmi(() => this.pool.free(p)));
    const freeRcu = this.freeRcuCall("nested freeRcu", 1, (p) => inNmi(() => this.pool.freeRcu(p)));
    return [alloc, free, freeRcu];
  }

  /** Frees the object held longest, or the `skip`-th after it. Once the CPU gave up, a free is refused. */
  private freeCall(name: string, skip: number, free: (p: number) => void): Call {
    return {
      name,
      begin: () => this.ledger.giveUp(0, skip),
      run: (_cpu, p) => {
        if (p === 0 || !this.isOpen()) return p;
        if (readPrivate(this.words, p >>> 2) !== p)
          throw new Violation("payload", `object ${p} was overwritten`);
        free(p);
        return 0;
      },
      done: (_cpu, _argument, kept) => {
        this.seen.delete(kept);
        if (kept !== 0) this.ledger.got(0, kept);
      },
    };
  }

  private freeRcuCall(name: string, skip: number, free: (p: number) => void): Call {
    const call = this.freeCall(name, skip, free);
    return {
      ...call,
      begin: (cpu) => {
        const p = call.begin?.(cpu) ?? 0;
        if (this.isRead) this.seen.add(p);
        return p;
      },
    };
  }

  /** An object was handed out. */
  private got(p: number): void {
    if (this.seen.has(p)) throw new Violation("early-reuse", `object ${p} was used again under a reader`);
    this.ledger.got(0, p);
  }

  /** The reader is about to leave. */
  private forget(): number {
    this.isRead = false;
    this.seen.clear();
    return 0;
  }

  /** The other CPU leaves its section. (A step of this one: it has no other part in this.) */
  private leave(): void {
    const { rcu } = this.booted[1];
    if (rcu.isInside()) rcu.readUnlock();
  }

  private allocate(): number {
    const p = this.pool.alloc();
    if (p !== 0) writePrivate(this.words, p >>> 2, p);
    return p;
  }

  private isOpen(): boolean {
    const [cache] = this.booted[0].allocators.cachesOn(0, this.allocator);
    return loadAcquire(this.words, cache + this.library.cacheLayout.PIN) !== 0;
  }

  private isGone(): boolean {
    return !this.booted[0].registry.isLive(this.allocator.ref);
  }
}

function zeroAfter(fn: () => void): number {
  fn();
  return 0;
}
