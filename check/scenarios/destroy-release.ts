/**
 * The end of an allocator, looked at in the moment in which a CPU claims its last step: all that is not out must be
 * back in slab by then, and nobody have it open. After that its record may be another allocator's. (A round may still
 * be raised for one of its caches: that does no harm, since the words stay those of a cache.)
 */
import type { Booted } from "#src/boot.js";
import type { Allocator, MemCache } from "#src/memalloc/index.js";
import { fetchAdd, loadAcquire } from "../engine/primitive.ts";
import type { Call, Prepared } from "../engine/scenario.ts";
import { Violation } from "../engine/violation.ts";
import type { Library } from "../library.ts";
import { checkSound } from "../oracles/books.ts";
import { abstractRcu } from "./abstract-rcu.ts";
import { bootCpus, freeWords, pollUntilQuiet, tryDestroy } from "./small-heap.ts";

const SIZE = 2040;
const SMALLER = 1016;
const NAME = "objects";
const LIMIT = 8;

type Name =
  | "free"
  | "freeRcu"
  | "rawFree"
  | "destroy"
  | "ready"
  | "work"
  | "end"
  | "giveUp"
  | "open"
  | "another"
  | "smaller";

export class Releases implements Prepared {
  readonly words: Int32Array;
  readonly cpus: number;
  readonly nested: readonly Call[] = [];
  readonly calls: Record<Name, Call>;
  private readonly library: Library;
  private readonly booted: readonly Booted[];
  private readonly pools: readonly MemCache[];
  private readonly allocator: Allocator;
  /** An object of each CPU, and one of the next CPU's. */
  private readonly gifts: readonly (readonly number[])[];
  /** Counts what the program holds: a word of the model, since CPUs share it. */
  private readonly out: number;
  private held: number[][] = [];

  constructor(library: Library, cpus: number) {
    this.library = library;
    this.cpus = cpus;
    this.booted = bootCpus(library, cpus, 24);
    this.words = this.booted[0].arena.words;
    abstractRcu(this.booted);
    this.pools = this.booted.map(({ allocators }) => allocators.openMemCache(NAME, SIZE));
    this.gifts = this.pools.map((pool, cpu) => [this.pools[(cpu + 1) % cpus].alloc(), pool.alloc()]);
    // so that all that is not out is in slab
    for (const { allocators } of this.booted) allocators.reclaim();
    [this.out] = freeWords(this.booted[0], 1);
    this.words[this.out] = 2 * cpus;
    [this.allocator] = this.booted[0].allocators.list();
    for (const system of this.booted) this.watch(system);
    this.calls = this.makeCalls();
  }

  reset(): void {
    this.held = this.gifts.map((gifts) => [...gifts]);
  }

  fingerprint(cpu: number): number {
    return this.held[cpu].length;
  }

  /** Those who are left do what there is to do. */
  quiesce(dead: readonly number[]): void {
    const alive = this.booted.filter(({ cpu }) => !dead.includes(cpu.id));
    pollUntilQuiet(this.library, alive);
  }

  /** What a dead CPU has pinned stays, until CPUs of dead threads are taken over. */
  finish(dead: readonly number[]): void {
    if (dead.length > 0) return;
    const [system] = this.booted;
    checkSound(this.library, system);
    if (system.registry.isDraining)
      throw new Violation("not-at-rest", "an allocator was destroyed, and does not go away");
    if (!system.registry.isGone(this.allocator.ref)) return;
    const used = this.library.inspect.stats(system).slabs.reduce((sum, slab) => sum + slab.used, 0);
    const taken = this.takenBy(system.allocators.list());
    const out = this.words[this.out];
    if (used !== out + taken)
      throw new Violation(
        "leak",
        `${used} objects are not back in slab, ${out} are out, ${taken} are others'`,
      );
  }

  private takenBy(allocators: readonly Allocator[]): number {
    return allocators.reduce((sum, allocator) => sum + this.taken(this.booted[0], allocator), 0);
  }

  /** Has this CPU look about when it has claimed an allocator's last step. */
  private watch(system: Booted): void {
    const { registry } = system;
    const claim = registry.claimRelease.bind(registry);
    registry.claimRelease = (ref) => {
      const isClaimed = claim(ref);
      if (isClaimed && ref.record === this.allocator.ref.record && ref.generation === 1)
        this.checkOver(system);
      return isClaimed;
    };
  }

  private checkOver(system: Booted): void {
    const { OPEN } = this.library.cacheLayout;
    for (const { cpu } of this.booted) {
      const [cache] = system.allocators.cachesOn(cpu.id, this.allocator);
      if (loadAcquire(this.words, cache + OPEN) !== 0)
        throw new Violation("early-release", `released while CPU ${cpu.id} has it open`);
    }
    const taken = this.taken(system, this.allocator);
    const out = loadAcquire(this.words, this.out);
    if (taken !== out)
      throw new Violation("early-release", `released with ${taken} objects taken from slab, and ${out} out`);
  }

  private taken({ allocators }: Booted, allocator: Allocator): number {
    const { TAKEN } = this.library.cacheLayout;
    return this.booted.reduce((sum, { cpu }) => {
      const [cache] = allocators.cachesOn(cpu.id, allocator);
      return sum + loadAcquire(this.words, cache + TAKEN);
    }, 0);
  }

  private makeCalls(): Releases["calls"] {
    const { KIND_RCU, KIND_ROUND, KIND_TRACE } = this.library.cacheLayout;
    const call = (name: string, run: (cpu: number) => void): Call => ({
      name,
      run: (cpu) => {
        run(cpu);
        return 0;
      },
    });
    return {
      free: this.freeCall("free", (cpu, p) => this.pools[cpu].free(p)),
      freeRcu: this.freeCall("freeRcu", (cpu, p) => this.pools[cpu].freeRcu(p)),
      rawFree: this.freeCall("rawFree", (cpu, p) => this.pools[cpu].rawFree(p)),
      destroy: call("destroy", (cpu) => tryDestroy(this.booted[cpu], this.allocator)),
      ready: call("callbacks after RCU", (cpu) => this.work(cpu, [KIND_RCU])),
      work: call("callbacks on the way to slab", (cpu) => this.work(cpu, [KIND_ROUND, KIND_TRACE])),
      end: call("end", (cpu) => this.booted[cpu].allocators.poll()),
      giveUp: call("give up", (cpu) => this.booted[cpu].allocators.giveUpAll()),
      open: call("open", (cpu) => this.booted[cpu].allocators.openMemCache(NAME, SIZE)),
      another: call("open another", (cpu) => this.booted[cpu].allocators.openMemCache("another", SIZE)),
      smaller: call("open a smaller one", (cpu) =>
        this.booted[cpu].allocators.openMemCache("smaller", SMALLER),
      ),
    };
  }

  /** Frees an object of the next CPU's, then one of its own. Once the CPU gave up, a free is refused. */
  private freeCall(name: string, free: (cpu: number, p: number) => void): Call {
    return {
      name,
      begin: (cpu) => this.held[cpu][0] ?? 0,
      run: (cpu, p) => {
        if (p === 0 || !this.isOpen(cpu)) return 0;
        fetchAdd(this.words, this.out, -1);
        free(cpu, p);
        return p;
      },
      done: (cpu, _argument, p) => {
        if (p !== 0) this.held[cpu].shift();
      },
    };
  }

  /** A part of a poll: fewer queues, so that every schedule can be searched. */
  private work(cpu: number, kinds: readonly number[]): void {
    const { callbacks } = this.booted[cpu];
    for (const kind of kinds) for (const { cpu } of this.booted) callbacks.run(cpu.id, kind, LIMIT);
  }

  private isOpen(cpu: number): boolean {
    const { registry, allocators } = this.booted[cpu];
    const [cache] = allocators.cachesOn(cpu, this.allocator);
    const isPinned = loadAcquire(this.words, cache + this.library.cacheLayout.PIN) !== 0;
    return isPinned && !registry.isGone(this.allocator.ref);
  }
}
