/**
 * The slab allocator by itself: a cache of two objects to a slab; alloc, free, flush, objects freed by the other CPU. By
 * kmalloc, whose nested calls may get NULL; or by kmallocNolock, of which a nested one gets an object of the next size.
 */

import type { Booted } from "#src/boot.js";
import { readPrivate, writePrivate } from "../engine/primitive.ts";
import type { Call, Prepared } from "../engine/scenario.ts";
import { Violation } from "../engine/violation.ts";
import type { Library } from "../library.ts";
import { checkSound } from "../oracles/books.ts";
import { Ledger } from "../oracles/ledger.ts";
import { bootCpus } from "./small-heap.ts";

const SIZE = 2048;

export class SlabClients implements Prepared {
  readonly words: Int32Array;
  readonly cpus = 2;
  readonly nested: readonly Call[];
  readonly alphabet: readonly Call[];
  protected readonly library: Library;
  protected readonly booted: readonly Booted[];
  protected readonly ledger = new Ledger(2);
  /** Each CPU begins with two objects that the other one allocated. */
  private readonly gifts: readonly (readonly number[])[];

  private readonly isNolock: boolean;

  /** `mayBeNull`: nested calls get NULL without there being no memory. */
  constructor(library: Library, { isNolock = false, mayBeNull = true } = {}) {
    this.library = library;
    this.isNolock = isNolock;
    this.booted = bootCpus(library, this.cpus, 24);
    this.words = this.booted[0].arena.words;
    this.gifts = [1, 0].map((cpu) => [this.allocate(cpu), this.allocate(cpu)]);
    const free: Call = {
      name: "free",
      begin: (cpu) => this.ledger.giveUp(cpu, 0),
      run: (cpu, p) => this.release(cpu, p),
    };
    const alloc: Call = {
      name: "alloc",
      run: (cpu) => this.allocate(cpu),
      done: (cpu, _argument, p) => {
        if (p === 0) throw new Violation("spurious-null", "kmalloc returned NULL with memory left");
        this.ledger.got(cpu, p);
      },
    };
    const flush: Call = { name: "flush", run: (cpu) => this.flush(cpu) };
    const nestedAlloc: Call = {
      name: "nested alloc",
      run: (cpu) => this.allocate(cpu),
      done: (cpu, _argument, p) => {
        if (p !== 0) this.ledger.got(cpu, p);
        else if (!mayBeNull)
          throw new Violation("spurious-null", "a call nested once got NULL with memory left");
      },
    };
    const nestedFree: Call = {
      ...free,
      name: "nested free",
      begin: (cpu) => this.ledger.giveUp(cpu, this.ledger.held[cpu].length - 1),
    };
    this.alphabet = [alloc, free, flush];
    this.nested = [nestedAlloc, nestedFree];
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

  finish(dead: readonly number[]): void {
    if (dead.length > 0) return;
    checkSound(this.library, this.booted[0]);
    const used = this.library.inspect.stats(this.booted[0]).slabs.reduce((sum, slab) => sum + slab.used, 0);
    const { length: out } = this.ledger.out;
    if (used !== out) throw new Violation("leak", `${used} objects in use, the program holds ${out}`);
  }

  protected allocate(cpu: number): number {
    const { kmalloc } = this.booted[cpu];
    const p = this.isNolock ? kmalloc.allocNolock(SIZE) : kmalloc.alloc(SIZE);
    if (p !== 0) writePrivate(this.words, p >>> 2, p);
    return p;
  }

  private release(cpu: number, p: number): number {
    if (p === 0) return 0;
    if (readPrivate(this.words, p >>> 2) !== p) throw new Violation("payload", `object ${p} was overwritten`);
    this.booted[cpu].kmalloc.free(p);
    return 0;
  }

  private flush(cpu: number): number {
    const { kmalloc } = this.booted[cpu];
    kmalloc.slab.flush(kmalloc.cacheFor(SIZE));
    return 0;
  }
}
