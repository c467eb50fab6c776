/**
 * Callbacks of two CPUs: an updater gives one for each object that it replaces, whoever polls runs it, readers
 * must not see that, barriers must. One may die: what it has not run the other runs.
 */
import type { Booted } from "#src/boot.js";
import type { Barriers, Callbacks } from "#src/rcu/index.js";
import { fetchAdd, loadAcquire, storeRelease } from "../engine/primitive.ts";
import type { Call, Prepared } from "../engine/scenario.ts";
import { Violation } from "../engine/violation.ts";
import type { Library } from "../library.ts";
import { checkSound } from "../oracles/books.ts";
import { bootCpus, freeWords } from "./small-heap.ts";

/** Words of an object: the callback's link, whether it was given, how often it ran. */
const LINK = 0;
const GIVEN = 1;
const RAN = 2;
const OBJECTS = 3;
const LIMIT = 8;

export class CallbackClients implements Prepared {
  readonly words: Int32Array;
  readonly cpus = 2;
  readonly nested: readonly Call[];
  readonly calls: Record<"read" | "replace" | "poll" | "barrier", Call>;
  private readonly library: Library;
  private readonly booted: readonly Booted[];
  private readonly callbacks: readonly Callbacks[];
  private readonly barriers: readonly Barriers[];
  private readonly isTrace: boolean;
  private readonly slot: number;
  private readonly objects: readonly number[];
  private published = 0;

  constructor(library: Library, flavour: "rcu" | "tasks-trace") {
    this.library = library;
    this.isTrace = flavour === "tasks-trace";
    this.booted = bootCpus(library, this.cpus, 24);
    this.words = this.booted[0].arena.words;
    const [slot, ...objects] = freeWords(this.booted[0], 1 + OBJECTS);
    this.slot = slot;
    this.objects = objects;
    this.words[slot] = objects[0];
    const handler = (item: number) => fetchAdd(this.words, item - LINK + RAN, 1);
    const kinds = [{ rcu: !this.isTrace, trace: this.isTrace, handler }];
    this.callbacks = this.booted.map(
      ({ rcuPlace, cpu, cpus, areas, rcu, trace }) =>
        new library.rcu.Callbacks(rcuPlace, cpu, cpus, areas, rcu, trace, kinds),
    );
    this.barriers = this.booted.map(
      ({ rcuPlace, cpu, cpus, areas }, i) =>
        new library.rcu.Barriers(rcuPlace, cpu.id, cpus, areas, this.callbacks[i]),
    );
    this.calls = this.makeCalls();
    this.nested = [this.calls.read];
  }

  reset(): void {
    this.published = 0;
  }

  fingerprint(cpu: number): number {
    return cpu === 0 ? this.published : 0;
  }

  /** All have left their sections: a few polls run everything. */
  quiesce(dead: readonly number[]): void {
    const { cpus } = this.booted[0];
    for (const cpu of dead) cpus.markDead(cpu, cpus.generationOf(cpu));
    const alive = this.callbacks.filter((_, cpu) => !dead.includes(cpu));
    for (let i = 0; i < 4; i++) for (const callbacks of alive) callbacks.poll(LIMIT);
  }

  finish(dead: readonly number[]): void {
    for (const object of this.objects.slice(0, this.published)) {
      const ran = this.words[object + RAN];
      const mayNot = dead.some((cpu) => this.isInHand(cpu, object)) || this.words[object + GIVEN] === 0;
      if (ran > 1 || (ran === 0 && !mayNot)) throw new Violation("leak", `a callback ran ${ran} times`);
    }
    if (dead.length === 0) checkSound(this.library, this.booted[0]);
  }

  private isInHand(cpu: number, object: number): boolean {
    const { areas, rcuPlace } = this.booted[0];
    return (
      this.words[areas.areaOf(cpu) + rcuPlace.local + this.library.rcuLayout.LOCAL_HAND] === object + LINK
    );
  }

  private makeCalls(): CallbackClients["calls"] {
    return {
      read: { name: "read", run: (cpu) => this.read(cpu) },
      replace: {
        name: "replace",
        begin: () => ++this.published,
        run: (cpu, index) => {
          storeRelease(this.words, this.slot, this.objects[index]);
          this.callbacks[cpu].call(0, this.objects[index - 1] + LINK);
          storeRelease(this.words, this.objects[index - 1] + GIVEN, 1);
          return 0;
        },
      },
      poll: { name: "poll", run: (cpu) => this.callbacks[cpu].poll(LIMIT) },
      barrier: { name: "barrier", run: (cpu) => this.barrier(cpu) },
    };
  }

  private read(cpu: number): number {
    const { rcu, trace } = this.booted[cpu];
    const phase = this.isTrace ? trace.enter() : 0;
    if (!this.isTrace) rcu.readLock();
    const object = loadAcquire(this.words, this.slot);
    if (loadAcquire(this.words, object + RAN) !== 0)
      throw new Violation("early-reuse", `the callback of word ${object} ran under a reader`);
    if (this.isTrace) trace.exit(phase);
    else rcu.readUnlock();
    return object;
  }

  private barrier(cpu: number): number {
    const given = this.objects.filter((object) => loadAcquire(this.words, object + GIVEN) === 1);
    const { RCU, TRACE } = this.library.rcu;
    const barrier = this.barriers[cpu].begin(this.isTrace ? TRACE : RCU);
    for (let i = 0; i < 2; i++) {
      if (this.barriers[cpu].isPast(barrier)) {
        if (given.every((object) => loadAcquire(this.words, object + RAN) === 1)) return 1;
        throw new Violation(
          "early-barrier",
          "a barrier ended before a callback that was given before it ran",
        );
      }
      this.callbacks[cpu].poll(LIMIT);
    }
    return 0;
  }
}
