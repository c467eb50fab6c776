/** Attach and detach: threads that come and go, two slots for them, a survivor that sends objects to one that goes. */

import type { Booted } from "#src/boot.js";
import type { MemCache } from "#src/memalloc/index.js";
import { writePrivate } from "../engine/primitive.ts";
import type { Call, Prepared } from "../engine/scenario.ts";
import { Violation } from "../engine/violation.ts";
import type { Library } from "../library.ts";
import { checkBooks } from "../oracles/books.ts";
import { Ledger } from "../oracles/ledger.ts";
import { bootCpus, CUTTING } from "./small-heap.ts";

/** CPU 0 frees what CPU 1 allocated, and trims it home, while CPU 1 closes its cache, opens it, detaches. */
export class GoingHome implements Prepared {
  readonly words: Int32Array;
  readonly cpus = 2;
  readonly nested: readonly Call[] = [];
  readonly free: Call;
  readonly detach: Call;
  readonly reopen: Call;
  /** As a program does it, with all that is polled. */
  readonly leave: Call;
  readonly poll: Call;
  private readonly library: Library;
  private readonly booted: readonly Booted[];
  private readonly caches: readonly MemCache[];
  private readonly gifts: readonly number[];
  private readonly ledger = new Ledger(2);

  constructor(library: Library) {
    this.library = library;
    this.booted = bootCpus(library, this.cpus, 24, CUTTING);
    this.words = this.booted[0].arena.words;
    this.caches = this.booted.map((system) => system.allocators.openMemCache("objects", 2040));
    this.gifts = Array.from({ length: 4 }, () => this.caches[1].alloc());
    for (const p of this.gifts) writePrivate(this.words, p >>> 2, p);
    this.free = {
      name: "free",
      begin: (cpu) => this.ledger.giveUp(cpu, 0),
      run: (cpu, p) => {
        if (p !== 0) this.caches[cpu].free(p);
        return 0;
      },
    };
    this.detach = { name: "detach", run: (cpu) => this.goAway(cpu) };
    this.leave = { name: "leave", run: (cpu) => this.run(cpu, library.task.detach) };
    this.poll = { name: "poll", run: (cpu) => this.run(cpu, library.task.poll) };
    this.reopen = { name: "reopen", run: (cpu) => this.comeBack(cpu) };
  }

  reset(): void {
    this.ledger.reset();
    for (const p of this.gifts) this.ledger.got(0, p);
  }

  fingerprint(cpu: number): number {
    return this.ledger.fingerprint(cpu);
  }

  finish(dead: readonly number[]): void {
    checkBooks(this.library, this.booted[0], this.ledger.out, dead);
  }

  private run(cpu: number, task: (system: Booted) => void): number {
    task(this.booted[cpu]);
    return 0;
  }

  /** What matters of a detach. */
  private goAway(cpu: number): number {
    const { cpus, allocators, kmalloc } = this.booted[cpu];
    cpus.beginDetach(cpu);
    allocators.giveUpAll();
    kmalloc.flush();
    cpus.finishDetach(cpu);
    return 0;
  }

  private comeBack(cpu: number): number {
    // anew, as a thread does: who it is is in its claims
    const system = this.library.boot.bootAttacher(this.booted[cpu].arena, "", CUTTING);
    if (system.cpu.id !== cpu) throw new Violation("double-owner", "the wrong CPU was free");
    system.allocators.openMemCache("objects", 2040);
    return 0;
  }
}

/** Three threads want the two free slots of four. */
export class Attachers implements Prepared {
  readonly words: Int32Array;
  readonly cpus = 2;
  readonly nested: readonly Call[] = [];
  readonly alphabet: readonly Call[];
  private readonly booted: readonly Booted[];
  private readonly slots: number[][] = [[], []];

  constructor(library: Library) {
    this.booted = bootCpus(library, 3, 24);
    this.words = this.booted[0].arena.words;
    this.booted[2].cpus.finishDetach(2);
    const attach: Call = {
      name: "attach",
      run: (cpu) => this.attach(cpu),
      done: (cpu, _argument, slot) => {
        if (slot >= 0) this.got(cpu, slot);
      },
    };
    const detach: Call = {
      name: "detach",
      begin: (cpu) => this.slots[cpu].shift() ?? -1,
      run: (cpu, slot) => {
        if (slot < 0) return 0;
        this.booted[cpu].cpus.beginDetach(slot);
        this.booted[cpu].cpus.finishDetach(slot);
        return 0;
      },
    };
    this.alphabet = [attach, detach];
  }

  reset(): void {
    for (const list of this.slots) list.length = 0;
  }

  fingerprint(cpu: number): number {
    return this.slots[cpu].reduce((hash, slot) => hash * 31 + slot, 1);
  }

  finish(): void {
    const online = this.booted[0].cpus.list().filter(({ state }) => state !== "free").length;
    const held = 2 + this.slots[0].length + this.slots[1].length;
    if (online !== held) throw new Violation("leak", `${online} CPUs are taken, ${held} are held`);
  }

  private attach(cpu: number): number {
    try {
      return this.booted[cpu].cpus.attach("thread");
    } catch (error) {
      if ((error as { code?: string }).code === "full") return -1;
      throw error;
    }
  }

  private got(cpu: number, slot: number): void {
    if (this.slots.some((list) => list.includes(slot)))
      throw new Violation("double-owner", `CPU ${slot} was taken twice`);
    this.slots[cpu].push(slot);
  }
}
