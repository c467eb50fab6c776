/**
 * Groups that come and go: two CPUs hold one, charge it, drop it, and make another one that uses its record again, with
 * another parent. While a CPU holds it, it is there.
 */
import type { Ref } from "#src/arena/index.js";
import type { Booted } from "#src/boot.js";
import type { Memcgs } from "#src/mm/index.js";
import type { Call, Prepared } from "../engine/scenario.ts";
import { Violation } from "../engine/violation.ts";
import type { Library } from "../library.ts";
import { checkCharges } from "../oracles/charges.ts";
import { bootCpus } from "./small-heap.ts";

const LIMIT = 4096;

export class GroupClients implements Prepared {
  readonly words: Int32Array;
  readonly cpus = 2;
  readonly nested: readonly Call[] = [];
  readonly calls: Record<"use" | "drop" | "poll" | "make" | "open" | "end" | "limit", Call>;
  private readonly library: Library;
  private readonly booted: readonly Booted[];
  private readonly above: Ref;
  private readonly below: Ref;

  constructor(library: Library) {
    this.library = library;
    this.booted = bootCpus(library, this.cpus, 24);
    this.words = this.booted[0].arena.words;
    const { memcgs } = this.booted[0];
    this.above = memcgs.open("above", Infinity, undefined);
    this.below = memcgs.open("below", Infinity, this.above);
    this.calls = {
      use: { name: "use", run: (cpu) => this.ifThere(() => this.use(cpu)) },
      drop: { name: "drop", run: (cpu) => this.ifThere(() => this.booted[cpu].memcgs.drop(this.below)) },
      poll: { name: "poll", run: (cpu) => this.ifThere(() => this.booted[cpu].memcgs.poll()) },
      make: {
        name: "make",
        run: (cpu) => this.booted[cpu].memcgs.open("another", Infinity, undefined).record,
      },
      open: {
        name: "open",
        run: (cpu) => this.booted[cpu].memcgs.open("shared", Infinity, this.above).record,
      },
      end: {
        name: "end",
        run: (cpu) => this.ifThere(() => this.withShared(cpu, (ref, memcgs) => memcgs.drop(ref))),
      },
      limit: {
        name: "limit",
        run: (cpu) => this.ifThere(() => this.withShared(cpu, (ref, memcgs) => memcgs.setMax(ref, LIMIT))),
      },
    };
  }

  reset(): void {}

  fingerprint(): number {
    return 0;
  }

  quiesce(): void {
    // the one that polls first may have to wait for the other one's stock
    for (let i = 0; i < 2; i++) for (const { memcgs } of this.booted) memcgs.poll();
  }

  finish(): void {
    checkCharges(this.library, this.booted[0], new Map());
    if (this.booted[0].memcgs.isDraining)
      throw new Violation("not-at-rest", "a group was dropped, and is not gone");
    const another = this.booted[0].memcgs.find("another");
    if (another !== undefined && this.booted[0].memcgs.counters(another).max !== Infinity)
      throw new Violation("charges", "a group has a limit that was given to another one");
  }

  /** As an allocator does in its life: all that it charges goes back before it lets go. */
  private use(cpu: number): void {
    const { memcgs } = this.booted[cpu];
    const { record } = this.below;
    memcgs.hold(this.below);
    if (!memcgs.stock.charge(record, 1))
      throw new Violation("spurious-null", "a group without limit refused");
    if (memcgs.isGone(this.below)) throw new Violation("early-release", "a group that is held is gone");
    memcgs.stock.uncharge(record, 1);
    memcgs.letGo(record);
  }

  /** Does something with the group that both open by its name, if there is one. */
  private withShared(cpu: number, fn: (ref: Ref, memcgs: Memcgs) => void): void {
    const { memcgs } = this.booted[cpu];
    const ref = memcgs.find("shared");
    if (ref !== undefined) fn(ref, memcgs);
  }

  /** Returns 1, or 0 if the group was dropped before. */
  private ifThere(fn: () => void): number {
    try {
      fn();
      return 1;
    } catch (error) {
      if ((error as { code?: string }).code === "destroyed") return 0;
      throw error;
    }
  }
}
