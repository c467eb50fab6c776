/**
 * What freeRcu sends on its way while a third CPU is inside a read section, and who takes it up again: two CPUs that
 * free, run callbacks, refill. The reader may see all that was freed before it left, so nothing of that is handed out.
 */
import type { Booted } from "#src/boot.js";
import type { MemCache } from "#src/memalloc/index.js";
import { loadAcquire, storeRelease, xchg } from "../engine/primitive.ts";
import type { Call, Prepared } from "../engine/scenario.ts";
import { Violation } from "../engine/violation.ts";
import type { Library } from "../library.ts";
import { checkBooks } from "../oracles/books.ts";
import { Ledger } from "../oracles/ledger.ts";
import { bootCpus, freeWords, pollUntilQuiet } from "./small-heap.ts";

const SIZE = 2040;
const OBJECT_SHIFT = 11;
const OBJECTS = 128;
const LIMIT = 8;

type Name = "alloc" | "free" | "freeRcu" | "ready" | "work" | "leave";

export class Pipelines implements Prepared {
  readonly words: Int32Array;
  readonly cpus = 2;
  readonly nested: readonly Call[] = [];
  readonly calls: Record<Name, Call>;
  private readonly library: Library;
  private readonly booted: readonly Booted[];
  private readonly pools: readonly MemCache[];
  /** Of each CPU: an object of the other one's, and one of its own. */
  private readonly gifts: readonly (readonly number[])[];
  private readonly ledger = new Ledger(2);
  /** 1 while the reader is inside; for each object, 1 if it may see it. Words of the model, since CPUs share them. */
  private readonly inside: number;
  private readonly seen: number;

  constructor(library: Library) {
    this.library = library;
    this.booted = bootCpus(library, 3, 24);
    this.words = this.booted[0].arena.words;
    const { areas, rcu } = this.booted[2];
    this.pools = this.booted.slice(0, 2).map(({ allocators }) => allocators.openMemCache("objects", SIZE));
    this.gifts = [1, 0].map((other, cpu) => [this.pools[other].alloc(), this.pools[cpu].alloc()]);
    [this.inside] = freeWords(this.booted[0], 1);
    this.seen = areas.areaOf(0) + areas.reserve(OBJECTS);
    rcu.readLock();
    this.words[this.inside] = 1;
    this.calls = this.makeCalls();
  }

  reset(): void {
    this.ledger.reset();
    this.gifts.forEach((gifts, cpu) => {
      for (const p of gifts) this.ledger.got(cpu, p);
    });
  }

  fingerprint(cpu: number): number {
    return this.ledger.fingerprint(cpu);
  }

  quiesce(dead: readonly number[]): void {
    if (dead.length > 0) return;
    this.leave();
    pollUntilQuiet(this.library, this.booted);
  }

  finish(dead: readonly number[]): void {
    checkBooks(this.library, this.booted[0], this.ledger.out, dead);
    const { rcu } = this.library.inspect.stats(this.booted[0]);
    if (dead.length === 0 && rcu.waitingBytes > 0)
      throw new Violation("not-at-rest", `${rcu.waitingBytes} bytes wait, and nobody is reading`);
  }

  private makeCalls(): Pipelines["calls"] {
    const { KIND_RCU, KIND_ROUND, KIND_TRACE } = this.library.cacheLayout;
    const call = (name: string, run: (cpu: number) => void): Call => ({
      name,
      run: (cpu) => {
        run(cpu);
        return 0;
      },
    });
    return {
      alloc: {
        name: "alloc",
        run: (cpu) => this.allocate(cpu),
        done: (cpu, _argument, p) => this.ledger.got(cpu, p),
      },
      free: this.freeCall("free", (cpu, p) => this.pools[cpu].free(p)),
      freeRcu: this.freeCall("freeRcu", (cpu, p) => {
        // before it is freed: from then on others may find it
        storeRelease(this.words, this.seenAt(p), loadAcquire(this.words, this.inside));
        this.pools[cpu].freeRcu(p);
      }),
      ready: call("callbacks after RCU", (cpu) => this.work(cpu, [KIND_RCU])),
      work: call("callbacks on the way to slab", (cpu) => this.work(cpu, [KIND_ROUND, KIND_TRACE])),
      leave: call("reader leaves", () => this.leave()),
    };
  }

  private freeCall(name: string, free: (cpu: number, p: number) => void): Call {
    return {
      name,
      begin: (cpu) => this.ledger.giveUp(cpu, 0),
      run: (cpu, p) => {
        if (p !== 0) free(cpu, p);
        return 0;
      },
    };
  }

  private allocate(cpu: number): number {
    const p = this.pools[cpu].alloc();
    if (p === 0) throw new Violation("spurious-null", "alloc in task context returned NULL with memory left");
    const isSeen = loadAcquire(this.words, this.seenAt(p)) === 1;
    if (isSeen && loadAcquire(this.words, this.inside) === 1)
      throw new Violation("early-reuse", `object ${p} was used again under a reader`);
    return p;
  }

  private seenAt(p: number): number {
    return this.seen + ((p >>> OBJECT_SHIFT) & (OBJECTS - 1));
  }

  /** The third CPU leaves its section. (A step of whoever calls it: it has no other part in this.) */
  private leave(): void {
    const { rcu } = this.booted[2];
    if (xchg(this.words, this.inside, 0) === 1) rcu.readUnlock();
  }

  /** A part of a poll: fewer queues, so that every schedule can be searched. */
  private work(cpu: number, kinds: readonly number[]): void {
    const { callbacks } = this.booted[cpu];
    for (const kind of kinds) for (const { cpu } of this.booted) callbacks.run(cpu.id, kind, LIMIT);
  }
}
