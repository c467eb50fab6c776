/** The page allocator: blocks of one page, of some, and of more than a word of bits, on two CPUs; also with memory for one only. */
import type { Booted } from "#src/boot.js";
import type { Call, Prepared } from "../engine/scenario.ts";
import { Violation } from "../engine/violation.ts";
import type { Library } from "../library.ts";
import { checkSound } from "../oracles/books.ts";
import { bootCpus } from "./small-heap.ts";

const LARGE = 3;
const NONE = 0;

interface Block {
  readonly page: number;
  readonly count: number;
}

export class PageClients implements Prepared {
  readonly words: Int32Array;
  readonly cpus = 2;
  readonly nested: readonly Call[];
  readonly alphabet: readonly Call[];
  private readonly library: Library;
  private readonly booted: readonly Booted[];
  private readonly held: Block[][] = [[], []];
  private readonly owners = new Map<number, number>();

  constructor(library: Library, counts: readonly number[]) {
    this.library = library;
    this.booted = bootCpus(library, this.cpus, 70);
    this.words = this.booted[0].arena.words;
    const free: Call = {
      name: "free",
      begin: (cpu) => this.giveUp(cpu),
      run: (cpu, block) => this.release(cpu, block),
    };
    this.alphabet = [...counts.map((count) => this.alloc(count)), free];
    this.nested = this.alphabet;
  }

  reset(): void {
    for (const list of this.held) list.length = 0;
    this.owners.clear();
  }

  fingerprint(cpu: number): number {
    return this.held[cpu].reduce((hash, { page, count }) => Math.imul(hash, 31) + page * 64 + count, 3) | 0;
  }

  finish(dead: readonly number[]): void {
    if (dead.length === 0) checkSound(this.library, this.booted[0]);
  }

  private alloc(count: number): Call {
    return {
      name: `alloc ${count}`,
      run: (cpu) => {
        const { pages } = this.booted[cpu];
        const page = pages.alloc(count);
        if (page !== 0) pages.setUse(page, LARGE, count);
        return page;
      },
      done: (cpu, _argument, page) => {
        if (page !== 0) this.got(cpu, { page, count });
      },
    };
  }

  private got(cpu: number, block: Block): void {
    for (let page = block.page; page < block.page + block.count; page++) {
      if (this.owners.has(page)) throw new Violation("double-owner", `page ${page} was handed out twice`);
      this.owners.set(page, cpu);
    }
    this.held[cpu].push(block);
  }

  /** page * 64 + count of a block that the CPU has, or 0. */
  private giveUp(cpu: number): number {
    const block = this.held[cpu].shift();
    if (block === undefined) return 0;
    for (let page = block.page; page < block.page + block.count; page++) this.owners.delete(page);
    return block.page * 64 + block.count;
  }

  private release(cpu: number, block: number): number {
    if (block === 0) return 0;
    const { pages } = this.booted[cpu];
    pages.setUse(block >>> 6, NONE, 0);
    pages.free(block >>> 6, block & 63);
    return 0;
  }
}
