/**
 * Owned caches: a CPU that dies at any step, another one that takes back what it had, while a third frees what it was
 * given; and a reclaim under which a slab is discarded.
 */
import type { Booted } from "#src/boot.js";
import type { OwnedCache } from "#src/memalloc/index.js";
import { loadAcquire, writePrivate } from "../engine/primitive.ts";
import type { Call, Prepared } from "../engine/scenario.ts";
import { Violation } from "../engine/violation.ts";
import type { Library } from "../library.ts";
import { checkSound } from "../oracles/books.ts";
import { checkNoneLost, reapDead } from "../oracles/reaped.ts";
import { bootCpus, freeWords, pollUntilQuiet, SMALL } from "./small-heap.ts";

/** Two objects fill a slab of one page. */
const SIZE = 2032;
const VICTIM = 0;
const GENERATION = 1;
const GIFTS = 2;

/** Room on the list for what the calls free, and two objects to pop before a refill. */
const TUNING = { ...SMALL, watermarks: () => ({ low: 1, high: 6, batch: 2, prefill: 2 }) };

/** 1, or 0 if the call was refused with that code. */
function unlessRefused(code: string, call: () => unknown): number {
  try {
    call();
    return 1;
  } catch (error) {
    if ((error as { code?: string }).code === code) return 0;
    throw error;
  }
}

/** A CPU dies; CPU 0 had allocated what the others free. */
export class OwnedDeaths implements Prepared {
  readonly words: Int32Array;
  readonly cpus = 3;
  readonly obituaries: number;
  readonly nested: readonly Call[] = [];
  readonly calls: Record<"alloc" | "free" | "freeRcu" | "reclaim" | "reap", Call>;
  private readonly library: Library;
  private readonly booted: readonly Booted[];
  private readonly caches: readonly OwnedCache[];
  private readonly gifts: readonly number[];

  constructor(library: Library) {
    this.library = library;
    this.booted = bootCpus(library, this.cpus, 24, TUNING);
    this.words = this.booted[0].arena.words;
    this.obituaries = freeWords(this.booted[0], 1)[0];
    this.caches = this.booted.map(({ allocators }) => allocators.openOwnedCache("owned", SIZE));
    // what is on the list after that has never been out
    this.gifts = Array.from({ length: GIFTS }, () => this.caches[VICTIM].alloc());
    this.calls = this.makeCalls();
  }

  reset(): void {}

  fingerprint(): number {
    return 0;
  }

  /** What the dead had is reclaimed, by a survivor that reaps them. */
  quiesce(dead: readonly number[]): void {
    const survivor = reapDead(this.library, this.booted, dead);
    for (const cpu of dead) this.caches[survivor].reclaim(cpu, GENERATION);
    const alive = this.booted.filter(({ cpu }) => !dead.includes(cpu.id));
    pollUntilQuiet(this.library, alive);
  }

  finish(dead: readonly number[]): void {
    checkSound(this.library, this.booted[0]);
    const [system] = this.booted;
    const [allocator] = system.allocators.list();
    const owners = this.library.memalloc.leakedObjects(system.kmalloc, allocator).map((p) => this.ownerOf(p));
    const named = owners.filter((owner) => owner !== 0);
    if (named.some((owner) => dead.includes(system.cpus.holderOf(owner).cpu)))
      throw new Violation("leak", "an object of a dead CPU was not reclaimed");
    checkNoneLost(this.library, system, allocator, [], named.length + dead.length);
  }

  private ownerOf(p: number): number {
    const { OBJECT_OWNER, HEADER_WORDS, OWNED_WORDS } = this.library.cacheLayout;
    return this.words[(p >>> 2) - HEADER_WORDS - OWNED_WORDS + OBJECT_OWNER];
  }

  private makeCalls(): OwnedDeaths["calls"] {
    const { caches } = this;
    const [gift] = this.gifts;
    return {
      alloc: { name: "alloc", run: (cpu) => caches[cpu].alloc() },
      free: { name: "free", run: (cpu) => unlessRefused("double-free", () => caches[cpu].free(gift)) },
      freeRcu: {
        name: "freeRcu",
        run: (cpu) => unlessRefused("double-free", () => caches[cpu].freeRcu(gift)),
      },
      reclaim: {
        name: "reclaim",
        run: (cpu) => (this.isDead(cpu) ? caches[cpu].reclaim(VICTIM, GENERATION) : 0),
      },
      reap: {
        name: "reap",
        run: (cpu) => (this.isDead(cpu) && this.library.reap.reap(this.booted[cpu], VICTIM) ? 1 : 0),
      },
    };
  }

  /** True if CPU 0 is dead, and known to be. */
  private isDead(by: number): boolean {
    if (loadAcquire(this.words, this.obituaries + VICTIM) === 0) return false;
    this.booted[by].cpus.markDead(VICTIM, GENERATION);
    return true;
  }
}

/** A thread has gone; its last object is freed and its slab discarded, and the page used, while another CPU reclaims. */
export class OwnedDiscard implements Prepared {
  readonly words: Int32Array;
  readonly cpus = 2;
  readonly nested: readonly Call[];
  readonly calls: Record<"reclaim" | "free" | "shrink" | "poll" | "use" | "take", Call>;
  private readonly library: Library;
  private readonly booted: readonly Booted[];
  private readonly caches: readonly OwnedCache[];
  private readonly gift: number;
  private readonly gone: number;
  /** Pages that CPU 0 has got. */
  private readonly held: number[] = [];
  /** Objects that CPU 0 has got. */
  private out = 0;

  /** `isFull`: a page that CPU 0 gets from here on was the slab's. */
  constructor(library: Library, isFull = true) {
    this.library = library;
    this.booted = bootCpus(library, 3, 24, TUNING);
    const [first, , gone] = this.booted;
    this.words = first.arena.words;
    this.gone = gone.cpu.id;
    this.caches = this.booted.map(({ allocators }) => allocators.openOwnedCache("owned", SIZE));
    this.gift = this.caches[this.gone].alloc();
    library.task.detach(gone);
    pollUntilQuiet(library, this.booted.slice(0, this.cpus));
    while (isFull && first.pages.alloc(1) !== 0);
    this.calls = this.makeCalls();
    this.nested = [this.calls.free, { name: "alloc and free", run: (cpu) => this.allocAndFree(cpu) }];
  }

  reset(): void {
    this.held.length = 0;
    this.out = 0;
  }

  fingerprint(): number {
    return this.held.reduce((hash, page) => hash * 31 + page, this.out + 1);
  }

  quiesce(): void {
    this.calls.reclaim.run(1, 0);
    pollUntilQuiet(this.library, this.booted.slice(0, this.cpus));
  }

  finish(): void {
    for (const page of this.held) {
      const { pages } = this.booted[0];
      const from = pages.address(page);
      if (this.words.subarray(from, from + 8).some((word) => word !== page))
        throw new Violation("payload", `page ${page} was written to by somebody else`);
    }
    this.checkPages();
  }

  /** The pages that the scenario holds are in no block: all else must hold. */
  private checkPages(): void {
    const [system] = this.booted;
    const problems = this.library.inspect.verify(system).filter((problem) => !problem.startsWith("pages:"));
    if (problems.length > 0) throw new Violation("invariant", problems.join("; "));
    const { pages, callbacks, areas, allocators } = system;
    const { memalloc } = this.library;
    const chains = memalloc.chainsInQueues(pages, callbacks, () => {});
    const [allocator] = allocators.list();
    const { taken, listed } = memalloc.checkAllocator(pages, areas, allocator, chains, () => {});
    if (taken - listed !== this.out)
      throw new Violation("leak", `${taken} objects taken, ${listed} listed, ${this.out} out`);
  }

  private makeCalls(): OwnedDiscard["calls"] {
    const [{ kmalloc, pages }] = this.booted;
    return {
      reclaim: { name: "reclaim", run: (cpu) => this.caches[cpu].reclaim(this.gone, 1) },
      free: {
        name: "rawFree",
        run: (cpu) => unlessRefused("double-free", () => this.caches[cpu].rawFree(this.gift)),
      },
      take: {
        name: "alloc",
        run: (cpu) => this.caches[cpu].alloc(),
        done: (_cpu, _argument, p) => {
          this.out += p === 0 ? 0 : 1;
        },
      },
      shrink: { name: "shrink", run: () => Number(kmalloc.shrink()) },
      poll: {
        name: "poll",
        run: (cpu) => {
          this.library.task.poll(this.booted[cpu]);
          return 0;
        },
      },
      use: {
        name: "use a page",
        run: () => {
          const page = pages.alloc(1);
          for (let word = 0; page !== 0 && word < 8; word++)
            writePrivate(this.words, pages.address(page) + word, page);
          return page;
        },
        done: (_cpu, _argument, page) => {
          if (page !== 0) this.held.push(page);
        },
      },
    };
  }

  private allocAndFree(cpu: number): number {
    const p = this.caches[cpu].alloc();
    if (p !== 0) this.caches[cpu].free(p);
    return p;
  }
}
