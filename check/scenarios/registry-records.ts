/**
 * The registry by itself, without caches: records that are made, ended, released and used again by two CPUs. No two
 * live ones have a name in common, and each is released once.
 */

import type { Ref } from "#src/arena/index.js";
import type { Booted } from "#src/boot.js";
import { fetchAdd } from "../engine/primitive.ts";
import type { Call, Prepared } from "../engine/scenario.ts";
import { Violation } from "../engine/violation.ts";
import type { Library } from "../library.ts";
import { bootCpus, freeWords } from "./small-heap.ts";

const SIZE = 40;
const GENERATIONS = 16;

export class Records implements Prepared {
  readonly words: Int32Array;
  readonly cpus = 2;
  readonly nested: readonly Call[];
  readonly calls: Record<"make" | "end" | "find", Call>;
  private readonly booted: readonly Booted[];
  /** How often each generation of the first record, and of the other, was released: words of the model, since CPUs share them. */
  private readonly released: readonly number[];
  private readonly first: number;

  constructor(library: Library) {
    this.booted = bootCpus(library, this.cpus, 24);
    this.words = this.booted[0].arena.words;
    this.released = freeWords(this.booted[0], 2);
    // a record to be used again
    const old = this.make(0, "old");
    this.first = old.record;
    this.release(0, old);
    this.calls = {
      make: { name: "make", run: (cpu) => this.make(cpu, "a").record },
      end: { name: "end", run: (cpu) => this.end(cpu) },
      find: { name: "find", run: (cpu) => this.find(cpu) },
    };
    this.nested = [this.calls.find, this.calls.make];
  }

  reset(): void {}

  fingerprint(): number {
    return 0;
  }

  finish(): void {
    const names = this.booted[0].registry.liveNames();
    if (new Set(names).size !== names.length) throw new Violation("two-of-a-name", `allocators ${names}`);
    if (this.booted[0].registry.isDraining)
      throw new Violation("not-at-rest", "a record was ended, and is not released");
  }

  /** As allocators do, if nobody has it. */
  private make(cpu: number, name: string): Ref {
    const { registry } = this.booted[cpu];
    return registry.find(name) ?? registry.make(name, SIZE, () => {});
  }

  private find(cpu: number): number {
    return this.booted[cpu].registry.find("a")?.record ?? 0;
  }

  /** Ends the allocator "a", and releases what drains, as a poll does where nothing is on its way. */
  private end(cpu: number): number {
    const { registry } = this.booted[cpu];
    const ref = registry.find("a");
    if (ref !== undefined) registry.drain(ref);
    for (const draining of registry.draining()) this.release(cpu, draining);
    return 0;
  }

  private release(cpu: number, ref: Ref): void {
    const { registry } = this.booted[cpu];
    registry.drain(ref);
    if (!registry.claimRelease(ref)) return;
    const shift = 2 * (ref.generation % GENERATIONS);
    const before = fetchAdd(this.words, this.released[ref.record === this.first ? 0 : 1], 1 << shift);
    if (((before >>> shift) & 3) !== 0) throw new Violation("double-owner", "a record was released twice");
    registry.retire(ref);
  }
}
