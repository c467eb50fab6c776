/** The CPUs of a heap, all of them driven by one thread, one operation of one CPU after the other. */

import { SharedHeap } from "#src/index.js";
import { WRITE } from "../../check/engine/operations.ts";
import { setPerformer } from "../../check/engine/primitive.ts";
import { Lines } from "./lines.ts";
import { Places } from "./places.ts";
import type { SharingResult } from "./run.ts";
import type { SharingWorkload } from "./workloads.ts";

/** Of the order of operations. */
const SEED = 0x2545f491;
const HEAP_BYTES = 2 ** 25;

/** xorshift32. */
export class Random {
  private state: number;

  /** Two with different seeds have nothing in common. */
  constructor(seed: number) {
    this.state = seed;
  }

  /** From 0 to `below` - 1, which is less than 65,536. */
  next(below: number): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return ((this.state >>> 16) * below) >>> 16;
  }
}

export class Crew<Own> {
  readonly count: number;
  private readonly heaps: SharedHeap[];
  private readonly own: Own[];
  private readonly lines: Lines;

  /** `open`: what each CPU opens. */
  constructor(count: number, open: (heap: SharedHeap) => Own) {
    const first = SharedHeap.create({ bytes: HEAP_BYTES, maxCpus: count, turns: false });
    const others = Array.from({ length: count - 1 }, () => SharedHeap.attach(first.token, { turns: false }));
    this.count = count;
    this.heaps = [first, ...others];
    this.own = this.heaps.map(open);
    this.lines = new Lines(first.i32, count, new Places(first.token));
  }

  /** What CPU `cpu` opened; from here on all accesses are its. */
  as(cpu: number): Own {
    this.lines.cpu = cpu;
    return this.own[cpu];
  }

  poll(cpu: number): void {
    this.lines.cpu = cpu;
    this.heaps[cpu].poll();
  }

  /** The program writes to the object at `p`: its first word. */
  write(p: number): void {
    this.lines.touch(WRITE, p >>> 2, 1);
  }

  /** Does as many operations as told for each CPU, in random order, first without counting. */
  measure(operation: (cpu: number) => void, perCpu: number) {
    const random = new Random(SEED);
    const operations = perCpu * this.count;
    const run = () => {
      for (let i = 0; i < operations; i++) operation(random.next(this.count));
    };
    setPerformer(this.lines);
    run();
    const counts = this.lines.count();
    run();
    setPerformer(undefined);
    this.end();
    return { operations, counts };
  }

  private end(): void {
    this.heaps[0].checkInvariants();
    for (const heap of this.heaps) heap.detach();
  }
}

export function sharingOf(
  { name, subject, prepare }: SharingWorkload,
  cpus: number,
  perCpu: number,
): SharingResult {
  const { operations, counts } = prepare(cpus, perCpu);
  const places = [...counts].map(([place, { reads, writes, apart }]) => {
    return { place, reads: reads / operations, writes: writes / operations, apart: apart / operations };
  });
  places.sort((a, b) => b.reads + b.writes - a.reads - a.writes);
  const transfers = places.reduce((sum, { reads, writes }) => sum + reads + writes, 0);
  return { workload: name, subject, cpus, operations, transfers, places };
}
