/** A heap on which threads die, and what is known about it. */
import type { SharedHeap } from "sharedheap";
import type { Library } from "../rcu/library.ts";
import { Board, newBoard } from "./board.ts";
import { census } from "./census.ts";
import { Estates } from "./estates.ts";
import { Killer } from "./killer.ts";
import { openPools } from "./pools.ts";

/** Reserved, not used. */
const HEAP_BYTES = 512 * 2 ** 20;
export const SURVIVORS = 2;
/** Threads that are there to die at a time. */
const VICTIMS = 2;

export class Ward {
  readonly heap: SharedHeap;
  readonly board = new Board(newBoard());
  readonly estates: Estates;
  readonly killer: Killer;
  readonly blocksBefore: number;

  constructor({ SharedHeap }: Library, library: string, random: (below: number) => number) {
    // as many CPUs as there are threads: one that is lost is missed at once
    const maxCpus = 1 + SURVIVORS + VICTIMS;
    const sizes = { bytes: HEAP_BYTES, percpuBytes: 2 ** 20, maxCpus, maxNames: 1024 };
    this.heap = SharedHeap.create({ ...sizes, name: "starter" });
    this.estates = new Estates(this.heap, openPools(this.heap));
    this.blocksBefore = census(this.heap).blocks;
    this.killer = new Killer(this.heap, this.board, this.estates, random, library);
  }

  /** So many threads die, some at a time; they are numbered from `first` on. */
  async kill(first: number, count: number): Promise<void> {
    let next = first;
    const killAll = async (): Promise<void> => {
      while (next < first + count && this.killer.failures.length === 0) await this.killer.kill(next++);
    };
    await Promise.all(Array.from({ length: VICTIMS }, killAll));
  }
}
