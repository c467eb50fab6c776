/**
 * Charges by themselves: two CPUs with a group each, in a third one. Units are charged and given back through the CPUs'
 * stocks, in the middle of each other too; the limits are such that one too many is asked for.
 */
import type { Booted } from "#src/boot.js";
import type { Call, Prepared } from "../engine/scenario.ts";
import { Violation } from "../engine/violation.ts";
import type { Library } from "../library.ts";
import { checkCharges } from "../oracles/charges.ts";
import { bootCpus } from "./small-heap.ts";

/** Units of a charge; the stock's batch is as many. */
const UNITS = 1;
/** Most units of each group, and of both together. */
const MAX = 3;
const MAX_TOGETHER = 4;

export class ChargeClients implements Prepared {
  readonly words: Int32Array;
  readonly cpus = 2;
  readonly nested: readonly Call[];
  readonly calls: Record<"charge" | "uncharge" | "other" | "drain", Call>;
  private readonly library: Library;
  private readonly booted: readonly Booted[];
  /** The groups: one of each CPU, and that above them. */
  private readonly groups: readonly number[];
  /** Units held: of each group, by program and nested calls of each CPU. */
  private held: number[][] = [];

  constructor(library: Library) {
    this.library = library;
    this.booted = bootCpus(library, this.cpus, 24);
    this.words = this.booted[0].arena.words;
    const { memcgs } = this.booted[0];
    const above = memcgs.open("above", MAX_TOGETHER * 8, undefined);
    const below = ["a", "b"].map((name) => memcgs.open(name, MAX * 8, above));
    // as allocators do: who charges holds the group
    for (const ref of below) memcgs.hold(ref);
    this.groups = [...below, above].map(({ record }) => record);
    this.calls = {
      charge: this.charge("charge", (cpu) => cpu),
      other: this.charge("charge the other group", (cpu) => 1 - cpu),
      uncharge: this.uncharge(),
      drain: { name: "drain", run: (cpu) => this.run(() => this.booted[cpu].memcgs.stock.drain()) },
    };
    this.nested = [
      this.charge("nested charge", (cpu) => cpu),
      { ...this.calls.uncharge, name: "nested uncharge" },
    ];
    this.reset();
  }

  reset(): void {
    this.held = this.booted.map(() => [0, 0]);
  }

  fingerprint(cpu: number): number {
    const [first, second] = this.held[cpu];
    return first * 16 + second;
  }

  finish(): void {
    const held = [0, 1].map((group) => this.held[0][group] + this.held[1][group]);
    const holdings = new Map(held.map((units, i) => [this.groups[i], { units, allocators: 1 }]));
    checkCharges(this.library, this.booted[0], holdings);
    const { MEMCG_PEAK } = this.library.mmLayout;
    [MAX, MAX, MAX_TOGETHER].forEach((max, i) => {
      const peak = this.words[this.groups[i] + MEMCG_PEAK];
      if (peak > max) throw new Violation("charges", `${peak} units were charged, where ${max} are the most`);
    });
  }

  /** Returns 1, or 0 if there was no room. */
  private charge(name: string, groupOf: (cpu: number) => number): Call {
    return {
      name,
      run: (cpu) => Number(this.booted[cpu].memcgs.stock.charge(this.groups[groupOf(cpu)], UNITS)),
      done: (cpu, _argument, charged) => {
        this.held[cpu][groupOf(cpu)] += charged * UNITS;
      },
    };
  }

  /** Gives back what this CPU charged, of either group; its argument is that group's number + 1. */
  private uncharge(): Call {
    return {
      name: "uncharge",
      begin: (cpu) => {
        const group = this.held[cpu].findIndex((units) => units >= UNITS);
        if (group >= 0) this.held[cpu][group] -= UNITS;
        return group + 1;
      },
      run: (cpu, number) =>
        number === 0
          ? 0
          : this.run(() => this.booted[cpu].memcgs.stock.uncharge(this.groups[number - 1], UNITS)),
    };
  }

  private run(fn: () => void): number {
    fn();
    return 0;
  }
}
