/** Allocators that are made, opened and destroyed by two CPUs, and what is on its way home meanwhile. */
import type { Booted } from "#src/boot.js";
import type { Allocator, MemCache } from "#src/memalloc/index.js";
import { loadAcquire } from "../engine/primitive.ts";
import type { Call, Prepared } from "../engine/scenario.ts";
import { Violation } from "../engine/violation.ts";
import type { Library } from "../library.ts";
import { checkSound } from "../oracles/books.ts";
import { bootCpus, pollUntilQuiet, tryDestroy } from "./small-heap.ts";

const SIZE = 2040;
const NAME = "objects";

type Name = "free" | "freeRcu" | "freeOther" | "destroy" | "poll" | "giveUp" | "open";

export class Destroyers implements Prepared {
  readonly words: Int32Array;
  readonly cpus = 2;
  readonly nested: readonly Call[] = [];
  readonly calls: Record<Name, Call>;
  private readonly library: Library;
  private readonly booted: readonly Booted[];
  private readonly pools: readonly MemCache[];
  private readonly allocator: Allocator;
  /** Objects of each CPU, and of CPU 0 for CPU 1 to free. */
  private readonly gifts: readonly (readonly number[])[];
  private held: number[][] = [[], []];

  constructor(library: Library) {
    this.library = library;
    this.booted = bootCpus(library, this.cpus, 24);
    this.words = this.booted[0].arena.words;
    this.pools = this.booted.map(({ allocators }) => allocators.openMemCache(NAME, SIZE));
    this.gifts = [0, 1].map((cpu) => [this.pools[cpu].alloc(), this.pools[0].alloc()]);
    // so that its list is empty: what it makes chains of is CPU 0's
    this.booted[1].allocators.reclaim();
    [this.allocator] = this.booted[0].allocators.list();
    this.calls = this.makeCalls();
  }

  reset(): void {
    this.held = this.gifts.map((gifts) => [...gifts]);
  }

  fingerprint(cpu: number): number {
    return this.held[cpu].length;
  }

  quiesce(): void {
    pollUntilQuiet(this.library, this.booted);
  }

  finish(): void {
    const [system] = this.booted;
    checkSound(this.library, system);
    const states = system.registry.list();
    if (states.length > 0 && system.registry.isDraining)
      throw new Violation("not-at-rest", "an allocator was destroyed, and does not go away");
    if (states.length > 0) return;
    const used = this.library.inspect.stats(system).slabs.reduce((sum, slab) => sum + slab.used, 0);
    const out = this.held[0].length + this.held[1].length;
    if (used !== out) throw new Violation("leak", `${used} objects are not back in slab, ${out} are out`);
  }

  private makeCalls(): Destroyers["calls"] {
    const free = (name: string, rcu: boolean): Call => ({
      name,
      begin: (cpu) => this.held[cpu].pop() ?? 0,
      run: (cpu, p) => {
        if (rcu) this.pools[cpu].freeRcu(p);
        else this.pools[cpu].free(p);
        return 0;
      },
    });
    return {
      free: free("free", false),
      freeRcu: free("freeRcu", true),
      freeOther: free("free of another CPU's", false),
      destroy: { name: "destroy", run: (cpu) => tryDestroy(this.booted[cpu], this.allocator) },
      poll: { name: "poll", run: (cpu) => this.poll(cpu) },
      giveUp: { name: "give up", run: (cpu) => this.giveUp(cpu) },
      open: { name: "open", run: (cpu) => this.open(cpu) },
    };
  }

  private poll(cpu: number): number {
    this.library.task.poll(this.booted[cpu]);
    this.checkReleased(cpu);
    return 0;
  }

  /** Once it is released nobody has it open, and nothing of it is under way. */
  private checkReleased(cpu: number): void {
    const { registry, allocators } = this.booted[cpu];
    if (!registry.isGone(this.allocator.ref)) return;
    const { CHAINS, OPEN } = this.library.cacheLayout;
    for (const each of this.booted) {
      const [cache] = allocators.cachesOn(each.cpu.id, this.allocator);
      if (loadAcquire(this.words, cache + OPEN) !== 0 && !registry.find(NAME))
        throw new Violation("use-after-free", `released while CPU ${each.cpu.id} has it open`);
      if (loadAcquire(this.words, cache + CHAINS) !== 0 && !registry.find(NAME))
        throw new Violation("release-under-callback", "released while a chain was on its way");
    }
  }

  private giveUp(cpu: number): number {
    this.booted[cpu].allocators.giveUpAll();
    return 0;
  }

  private open(cpu: number): number {
    this.booted[cpu].allocators.openMemCache(NAME, SIZE);
    return 0;
  }
}

/** Two CPUs that want an allocator of the same name, which is not there. */
export class Makers implements Prepared {
  readonly words: Int32Array;
  readonly cpus = 2;
  readonly nested: readonly Call[] = [];
  readonly calls: Record<"open" | "openOther" | "destroy" | "poll", Call>;
  private readonly library: Library;
  private readonly booted: readonly Booted[];

  constructor(library: Library) {
    this.library = library;
    this.booted = bootCpus(library, this.cpus, 24);
    this.words = this.booted[0].arena.words;
    const open = (name: string, of: string): Call => ({
      name,
      run: (cpu) => this.booted[cpu].allocators.openMemCache(of, SIZE).alloc(),
    });
    this.calls = {
      open: open("open", NAME),
      openOther: open("open another", "other"),
      destroy: { name: "destroy", run: (cpu) => this.destroy(cpu) },
      poll: {
        name: "poll",
        run: (cpu) => {
          this.library.task.poll(this.booted[cpu]);
          return 0;
        },
      },
    };
  }

  reset(): void {}

  fingerprint(): number {
    return 0;
  }

  quiesce(): void {
    pollUntilQuiet(this.library, this.booted);
  }

  finish(): void {
    const names = this.booted[0].registry.liveNames();
    if (new Set(names).size !== names.length) throw new Violation("double-owner", `allocators ${names}`);
    checkSound(this.library, this.booted[0]);
  }

  private destroy(cpu: number): number {
    const found = this.booted[cpu].allocators.list().find(({ name }) => name === NAME);
    return found === undefined ? 0 : tryDestroy(this.booted[cpu], found);
  }
}
