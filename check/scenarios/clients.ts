/**
 * Clients of memalloc over slab: calls of alloc, free, refill, send, receive + free on each CPU, in every
 * combination. Two objects to a slab.
 */
import { loadAcquire, readPrivate, storeRelease, writePrivate, xchg } from "#primitive";
import type { Booted } from "#src/boot.js";
import type { MemCache } from "#src/memalloc/index.js";
import type { Call, Prepared } from "../engine/scenario.ts";
import { Violation } from "../engine/violation.ts";
import type { Library } from "../library.ts";
import { checkBooks } from "../oracles/books.ts";
import { Ledger } from "../oracles/ledger.ts";
import { bootCpus, freeWords } from "./small-heap.ts";

const SIZE = 2040;

/** The calls, by name. */
export interface ClientCalls {
  readonly alloc: Call;
  readonly free: Call;
  readonly refill: Call;
  readonly send: Call;
  readonly receive: Call;
}

export class Clients implements Prepared {
  readonly words: Int32Array;
  readonly cpus: number;
  readonly nested: readonly Call[];
  readonly calls: ClientCalls;
  private readonly library: Library;
  private readonly booted: readonly Booted[];
  private readonly caches: readonly MemCache[];
  private readonly work: readonly number[];
  private readonly channels: readonly number[];
  private readonly ledger: Ledger;
  private readonly nestedLedger: Ledger;

  constructor(library: Library, cpus: number) {
    this.library = library;
    this.cpus = cpus;
    this.booted = bootCpus(library, cpus, 24);
    this.words = this.booted[0].arena.words;
    this.caches = this.booted.map((system) => system.allocators.openMemCache("objects", SIZE));
    this.work = this.booted.map((system) => system.allocators.ownCaches()[0] + library.cacheLayout.WORK);
    this.channels = freeWords(this.booted[0], cpus);
    this.ledger = new Ledger(cpus);
    this.nestedLedger = new Ledger(cpus);
    this.calls = this.makeCalls();
    this.nested = this.makeNested();
  }

  reset(): void {
    this.ledger.reset();
    this.nestedLedger.reset();
  }

  fingerprint(cpu: number): number {
    return this.ledger.fingerprint(cpu) ^ Math.imul(this.nestedLedger.fingerprint(cpu), 7);
  }

  finish(dead: readonly number[]): void {
    const inChannels = this.channels.filter((channel) => this.words[channel] !== 0).length;
    const out = this.ledger.out + this.nestedLedger.out + inChannels;
    checkBooks(this.library, this.booted[0], out, dead);
  }

  private makeCalls(): ClientCalls {
    const { ledger } = this;
    return {
      alloc: {
        name: "alloc",
        run: (cpu) => this.allocate(cpu),
        done: (cpu, _argument, p) => {
          if (p === 0)
            throw new Violation("spurious-null", "alloc in task context returned NULL with memory left");
          ledger.got(cpu, p);
        },
      },
      free: {
        name: "free",
        begin: (cpu) => ledger.giveUp(cpu, 0),
        run: (cpu, p) => this.release(cpu, p),
      },
      refill: {
        name: "refill",
        run: (cpu) => {
          this.booted[cpu].cpu.irqWork.raise(this.work[cpu]);
          this.booted[cpu].cpu.irqWork.kick();
          return 0;
        },
      },
      send: {
        name: "send",
        begin: (cpu) => ledger.giveUp(cpu, 0),
        run: (cpu, p) => this.send(cpu, p),
        done: (cpu, _argument, kept) => {
          if (kept !== 0) ledger.got(cpu, kept);
        },
      },
      receive: {
        name: "receive",
        run: (cpu) => this.release(cpu, xchg(this.words, this.channels[(cpu + 1) % this.cpus], 0)),
      },
    };
  }

  private makeNested(): Call[] {
    const inNmi = (cpu: number, fn: () => number) =>
      this.booted[cpu].cpu.nested(this.library.cpu.NMI_SHIFT, fn);
    return [
      {
        name: "nested alloc",
        run: (cpu) => inNmi(cpu, () => this.allocate(cpu)),
        done: (cpu, _argument, p) => {
          if (p !== 0) this.nestedLedger.got(cpu, p);
        },
      },
      {
        name: "nested free",
        begin: (cpu) => this.ledger.giveUp(cpu, this.ledger.held[cpu].length - 1),
        run: (cpu, p) => inNmi(cpu, () => this.release(cpu, p)),
      },
    ];
  }

  /** An object with its own offset written into it, or 0. */
  private allocate(cpu: number): number {
    const p = this.caches[cpu].alloc();
    if (p !== 0) writePrivate(this.words, p >>> 2, p);
    return p;
  }

  private release(cpu: number, p: number): number {
    if (p === 0) return 0;
    if (readPrivate(this.words, p >>> 2) !== p) throw new Violation("payload", `object ${p} was overwritten`);
    this.caches[cpu].free(p);
    return p;
  }

  /** Returns the object if the channel is full. */
  private send(cpu: number, p: number): number {
    if (p === 0 || loadAcquire(this.words, this.channels[cpu]) !== 0) return p;
    storeRelease(this.words, this.channels[cpu], p);
    return 0;
  }
}
