/** A CPU dies at any step, and another one reaps it: when all is over, or while the others go on. */
import type { Tuning } from "#src/boot.js";
import { loadAcquire } from "../engine/primitive.ts";
import type { Call } from "../engine/scenario.ts";
import type { Library } from "../library.ts";
import { allOf, checkDistinct, checkNoneLost, checkPlacedOnce, reapDead } from "../oracles/reaped.ts";
import { Clients } from "./clients.ts";
import { SlabClients } from "./slab.ts";
import { freeWords, PAIRS } from "./small-heap.ts";
import { allPrograms, type Scenario, thesePrograms } from "./spec.ts";

const EXHAUSTIVE = { kind: "exhaustive" } as const;

/** Watermarks that alloc and free do not reach, with an object before the spare: nothing is taken from slab. */
const FAST: Tuning = { ...PAIRS, watermarks: () => ({ low: 1, high: 12, batch: 6, prefill: 7 }) };

/** Batches that come back short, and find a list and a spare that are short, too. */
const SHORT: Tuning = { ...PAIRS, watermarks: () => ({ low: 5, high: 12, batch: 6, prefill: 7 }) };

class ReapedClients extends Clients {
  readonly obituaries: number;
  /** Reaps CPU 0, if that is dead. */
  readonly reap: Call;
  readonly freeRcu: Call = {
    name: "freeRcu",
    begin: (cpu) => this.ledger.giveUp(cpu, this.ledger.held[cpu].length - 1),
    run: (cpu, p) => {
      this.pools[cpu].freeRcu(p);
      return p;
    },
  };
  private taken: readonly number[] = [];
  /** Whether each object must be found again. */
  private readonly isExact: boolean;

  constructor(library: Library, cpus: number, tuning: Tuning, isExact = false) {
    super(library, cpus, "fixed", tuning);
    this.isExact = isExact;
    this.obituaries = freeWords(this.booted[0], 1)[0];
    this.reap = { name: "reap", run: (cpu) => this.reapFirst(cpu) };
  }

  override quiesce(dead: readonly number[]): void {
    super.quiesce(dead);
    const survivor = reapDead(this.library, this.booted, dead);
    if (dead.length > 0) checkPlacedOnce(this.library, this.booted[survivor]);
    const [allocator] = this.booted[survivor].allocators.list();
    if (this.isExact && dead.length > 0)
      checkNoneLost(this.library, this.booted[survivor], allocator, this.ledger.out, dead.length);
    this.taken = dead.length > 0 ? allOf(this.allocs[survivor]) : [];
  }

  override finish(dead: readonly number[]): void {
    if (dead.length > 0) checkDistinct(this.taken, this.ledger.out);
    else super.finish(dead);
  }

  private reapFirst(cpu: number): number {
    const { cpus } = this.booted[cpu];
    if (loadAcquire(this.words, this.obituaries) === 0) return 0;
    cpus.markDead(0, cpus.generationOf(0));
    return this.library.reap.reap(this.booted[cpu], 0) ? 1 : 0;
  }
}

class ReapedSlab extends SlabClients {
  private taken: readonly number[] = [];

  quiesce(dead: readonly number[]): void {
    const survivor = reapDead(this.library, this.booted, dead);
    if (dead.length > 0) checkPlacedOnce(this.library, this.booted[survivor]);
    this.taken = dead.length > 0 ? allOf(() => this.allocate(survivor)) : [];
  }

  override finish(dead: readonly number[]): void {
    if (dead.length > 0) checkDistinct(this.taken, this.ledger.out);
    else super.finish(dead);
  }
}

export const REAPS: readonly Scenario[] = [
  {
    name: "reap-hand",
    about: "alloc, free on a cache with stock, one death at any step: reaped, and no object is lost",
    search: EXHAUSTIVE,
    limits: { callSteps: 150, deaths: 1 },
    prepare: (library) => {
      const prepared = new ReapedClients(library, 2, FAST, true);
      return allPrograms(prepared, [prepared.calls.alloc, prepared.calls.free], 2);
    },
  },
  {
    name: "reap-recycle",
    about:
      "batches of freeRcu that come back while the lists are short, one death at any step: reaped, and no object has two owners",
    search: EXHAUSTIVE,
    limits: { callSteps: 150, deaths: 1 },
    prepare: (library) => {
      const prepared = new ReapedClients(library, 2, SHORT);
      const { freeRcu } = prepared;
      const { alloc } = prepared.calls;
      return thesePrograms(prepared, [[[freeRcu, freeRcu, alloc, alloc, freeRcu, freeRcu, alloc], []]]);
    },
  },
  {
    name: "reap-clients",
    about: "alloc, free, refill, poll, one death at any step: reaped, and no object has two owners",
    search: EXHAUSTIVE,
    limits: { callSteps: 250, deaths: 1 },
    prepare: (library) => {
      const prepared = new ReapedClients(library, 2, PAIRS);
      const { alloc, free, refill, poll } = prepared.calls;
      return allPrograms(prepared, [alloc, free, refill, poll], 1);
    },
  },
  {
    name: "reap-slab",
    about: "kmalloc, kfree, flush with one death at any step, 2 calls on each CPU: the same",
    search: EXHAUSTIVE,
    limits: { callSteps: 150, deaths: 1 },
    prepare: (library) => {
      const prepared = new ReapedSlab(library);
      return allPrograms(prepared, prepared.alphabet, 1);
    },
  },
  {
    name: "reap-among",
    about: "CPU 0 dies at any step, CPU 1 and 2 both reap it among their calls: one does",
    search: { kind: "bounded", preemptions: 1 },
    limits: { callSteps: 2000, deaths: 1 },
    prepare: (library) => {
      const prepared = new ReapedClients(library, 3, PAIRS);
      const { free, refill } = prepared.calls;
      const { reap } = prepared;
      return thesePrograms(
        prepared,
        [free, refill].map((call) => [[call], [reap], [reap, free]]),
      );
    },
  },
  {
    name: "reap-reaper",
    about: "CPU 0 dies at any step, then CPU 1, which reaps it, at any other: CPU 2 reaps both",
    search: { kind: "bounded", preemptions: 0 },
    limits: { callSteps: 2000, deaths: 2 },
    deep: true,
    prepare: (library) => {
      const prepared = new ReapedClients(library, 3, PAIRS);
      const { refill } = prepared.calls;
      return thesePrograms(prepared, [[[refill], [prepared.reap], []]]);
    },
  },
];
