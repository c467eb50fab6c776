/**
 * Clients of memalloc over slab: calls of alloc, free, refill, send, receive + free, poll on each CPU, in every
 * combination. Two objects to a slab. With a fixed-size allocator, or with a bucket of an any-size one.
 */

import type { Booted, Tuning } from "#src/boot.js";
import type { MemAlloc, MemCache } from "#src/memalloc/index.js";
import { loadAcquire, readPrivate, storeRelease, writePrivate, xchg } from "../engine/primitive.ts";
import type { Call, Prepared } from "../engine/scenario.ts";
import { Violation } from "../engine/violation.ts";
import type { Library } from "../library.ts";
import { checkBooks } from "../oracles/books.ts";
import { Ledger } from "../oracles/ledger.ts";
import { bootCpus, freeWords, SMALL } from "./small-heap.ts";

const SIZE = 2040;

/** The calls, by name. */
export interface ClientCalls {
  readonly alloc: Call;
  readonly free: Call;
  readonly refill: Call;
  readonly send: Call;
  readonly receive: Call;
  readonly poll: Call;
}

export class Clients implements Prepared {
  readonly words: Int32Array;
  readonly cpus: number;
  readonly nested: readonly Call[];
  readonly calls: ClientCalls;
  protected readonly library: Library;
  protected readonly booted: readonly Booted[];
  protected readonly pools: readonly (MemCache | MemAlloc)[];
  protected readonly allocs: readonly (() => number)[];
  private readonly frees: readonly ((p: number) => void)[];
  private readonly caches: readonly number[];
  private readonly channels: readonly number[];
  /** Two hands for each CPU: of its program, and, behind all of those, of its nested calls. */
  protected readonly ledger: Ledger;
  /** What each CPU has at the start: an object that comes from the other one, then one of its own. */
  private readonly gifts: readonly (readonly number[])[];
  /** Objects that were handed out before, and so need not be zero. */
  private readonly used = new Set<number>();

  constructor(library: Library, cpus: number, kind: "fixed" | "any", tuning: Tuning = SMALL) {
    this.library = library;
    this.cpus = cpus;
    this.booted = bootCpus(library, cpus, 24, tuning);
    this.words = this.booted[0].arena.words;
    this.pools = this.booted.map(({ allocators }) =>
      kind === "fixed" ? allocators.openMemCache("objects", SIZE) : allocators.openMemAlloc("objects", false),
    );
    this.allocs = this.pools.map((allocator) => () => allocator.alloc(SIZE));
    this.frees = this.pools.map((allocator) => (p) => allocator.free(p));
    const bucket = kind === "fixed" ? 0 : library.memalloc.UNIT_SIZES.indexOf(SIZE + 8);
    this.caches = this.booted.map(({ allocators }) => allocators.ownCaches()[bucket]);
    this.channels = freeWords(this.booted[0], cpus);
    this.ledger = new Ledger(2 * cpus);
    const own = this.booted.map((_, cpu) => [this.allocate(cpu), this.allocate(cpu)]);
    this.gifts = own.map((_, cpu) => [own[(cpu + 1) % cpus][1], own[cpu][0]]);
    this.calls = this.makeCalls();
    this.nested = this.makeNested();
  }

  reset(): void {
    this.ledger.reset();
    this.used.clear();
    this.gifts.forEach((gifts, cpu) => {
      for (const p of gifts) {
        this.used.add(p);
        this.ledger.got(cpu, p);
      }
    });
  }

  fingerprint(cpu: number): number {
    return this.ledger.fingerprint(cpu) ^ Math.imul(this.ledger.fingerprint(this.cpus + cpu), 7);
  }

  /** Work raised by a nested call in the middle of a fast path is still pending. */
  quiesce(dead: readonly number[]): void {
    for (const { cpu } of this.booted) if (!dead.includes(cpu.id)) cpu.irqWork.kick();
  }

  finish(dead: readonly number[]): void {
    const inChannels = this.channels.map((channel) => this.words[channel]).filter((p) => p !== 0);
    checkBooks(this.library, this.booted[0], [...this.ledger.out, ...inChannels], dead);
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
          this.book(cpu, p);
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
          this.booted[cpu].cpu.irqWork.raise(this.caches[cpu] + this.library.cacheLayout.WORK);
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
      poll: {
        name: "poll",
        run: (cpu) => {
          this.library.task.poll(this.booted[cpu]);
          return 0;
        },
      },
    };
  }

  private makeNested(): Call[] {
    const inNmi = (cpu: number, fn: () => number) =>
      this.booted[cpu].cpu.nested(this.library.cpu.NMI_SHIFT, fn);
    return [
      {
        name: "nested alloc",
        run: (cpu) => inNmi(cpu, () => this.allocate(cpu) || this.checkPending(cpu)),
        done: (cpu, _argument, p) => {
          if (p !== 0) this.book(this.cpus + cpu, p);
        },
      },
      {
        name: "nested free",
        begin: (cpu) => this.ledger.giveUp(cpu, this.ledger.held[cpu].length - 1),
        run: (cpu, p) => inNmi(cpu, () => this.release(cpu, p)),
      },
    ];
  }

  /** An object with its own offset written into it, or 0; negative if it was not zero before. */
  protected allocate(cpu: number): number {
    const p = this.allocs[cpu]();
    if (p === 0) return 0;
    const isZero = readPrivate(this.words, (p >>> 2) + 1) === 0;
    writePrivate(this.words, p >>> 2, p);
    writePrivate(this.words, (p >>> 2) + 1, p);
    return isZero ? p : -p;
  }

  /** Books what `allocate` returned: an object that nobody had before must have been zero. */
  private book(hand: number, result: number): void {
    const p = Math.abs(result);
    if (result < 0 && !this.used.has(p)) throw new Violation("garbage", `object ${p} is new and not zero`);
    this.used.add(p);
    this.ledger.got(hand, p);
  }

  /** Nested code that got NULL: the list is in use further down the stack, or its refill is pending. */
  private checkPending(cpu: number): number {
    const { HAND, HAND_IDLE, WORK } = this.library.cacheLayout;
    const isBusy = readPrivate(this.words, this.caches[cpu] + HAND) !== HAND_IDLE;
    const isPending =
      loadAcquire(this.words, this.caches[cpu] + WORK + this.library.cpuLayout.WORK_PENDING) !== 0;
    if (isBusy || isPending) return 0;
    throw new Violation(
      "spurious-null",
      "a nested alloc got NULL from an idle cache, and no work is pending",
    );
  }

  private release(cpu: number, p: number): number {
    if (p === 0) return 0;
    if (readPrivate(this.words, p >>> 2) !== p) throw new Violation("payload", `object ${p} was overwritten`);
    this.frees[cpu](p);
    return p;
  }

  /** Returns the object if the channel is full. */
  private send(cpu: number, p: number): number {
    if (p === 0 || loadAcquire(this.words, this.channels[cpu]) !== 0) return p;
    storeRelease(this.words, this.channels[cpu], p);
    return 0;
  }
}
