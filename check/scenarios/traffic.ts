/** Two CPUs in turn, by one thread: what flows from one to the other, and what is done to it on the way. */
import type { Booted } from "#src/boot.js";
import type { MemCache } from "#src/memalloc/index.js";
import type { Call, Prepared } from "../engine/scenario.ts";
import { Violation } from "../engine/violation.ts";
import type { Library } from "../library.ts";
import { checkBooks } from "../oracles/books.ts";
import { bootCpus, pollUntilQuiet } from "./small-heap.ts";

const SIZE = 1000;
const ROUNDS = 40;
/** Objects that may be on lists when one CPU allocates and the other frees: their watermarks, and chains that gather. */
const BOUND = 12;

/** What the scenarios here have in common. */
class Turns implements Prepared {
  readonly words: Int32Array;
  readonly cpus = 1;
  readonly nested: readonly Call[] = [];
  readonly calls: readonly Call[];
  protected readonly library: Library;
  protected readonly booted: readonly Booted[];

  constructor(library: Library, name: string) {
    this.library = library;
    this.booted = bootCpus(library, 2, 40);
    this.words = this.booted[0].arena.words;
    this.calls = [{ name, run: () => this.run() }];
  }

  reset(): void {}

  fingerprint(): number {
    return 0;
  }

  quiesce(): void {
    pollUntilQuiet(this.library, this.booted);
  }

  finish(): void {
    checkBooks(this.library, this.booted[0], [], []);
  }

  protected run(): number {
    return 0;
  }
}

/** One allocates, the other frees, neither polls. */
export class Producer extends Turns {
  private readonly pools: readonly MemCache[];
  private readonly rcu: boolean;

  constructor(library: Library, rcu: boolean) {
    super(library, "alloc there, free here, over and over");
    this.rcu = rcu;
    this.pools = this.booted.map(({ allocators }) => allocators.openMemCache("objects", SIZE));
  }

  protected override run(): number {
    const [from, to] = this.pools;
    const { memalloc } = this.library;
    const [{ pages, areas, allocators, callbacks }] = this.booted;
    for (let i = 0; i < ROUNDS; i++) {
      const p = from.alloc();
      if (this.rcu) this.freeUnderReader(to, p);
      else to.free(p);
    }
    const [allocator] = allocators.list();
    const chains = memalloc.chainsInQueues(pages, callbacks, () => {});
    const { taken } = memalloc.checkAllocator(pages, areas, allocator, chains, () => {});
    if (taken > BOUND)
      throw new Violation("bound", `${taken} objects wait after ${ROUNDS} rounds, ${BOUND} are the most`);
    return taken;
  }

  /** With somebody in a section: a grace period must end, and can right after. */
  private freeUnderReader(pool: MemCache, p: number): void {
    const [{ rcu }] = this.booted;
    rcu.readLock();
    pool.freeRcu(p);
    rcu.readUnlock();
  }
}

/** An object that comes from slab at once, where the list is empty, can be freed as any other. */
export class Flags extends Turns {
  private readonly pool: MemCache;

  constructor(library: Library) {
    super(library, "allocFlags, free");
    this.pool = this.booted[0].allocators.openMemCache("objects", SIZE);
  }

  protected override run(): number {
    const { GFP_KERNEL } = this.library.mm;
    const out: number[] = [];
    this.booted[0].cpu.nested(this.library.cpu.NMI_SHIFT, () => {
      for (let i = 0; i < 4; i++) out.push(this.pool.allocFlags(GFP_KERNEL));
    });
    for (const p of out) this.pool.free(p);
    return out.length;
  }
}

/** Only one of the threads was told the destructor; the other one polls first. */
export class Undertakers extends Turns {
  private readonly pools: readonly MemCache[];
  private destroyed = 0;

  constructor(library: Library) {
    super(library, "alloc, rawFree here, polls there");
    this.booted[0].destructors.register("bury", () => {
      this.destroyed++;
    });
    this.pools = this.booted.map(({ allocators }) => allocators.openMemCache("objects", SIZE, "bury"));
  }

  override reset(): void {
    this.destroyed = 0;
  }

  protected override run(): number {
    this.pools[1].rawFree(this.pools[1].alloc());
    this.library.task.poll(this.booted[1]);
    this.library.task.poll(this.booted[0]);
    if (this.destroyed !== 1)
      throw new Violation("not-destroyed", `the destructor ran ${this.destroyed} times for one object`);
    return 1;
  }
}
