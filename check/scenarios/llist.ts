/** llist: adders, takers of the whole list, and one taker of single nodes, on two CPUs. */
import type { Call, Prepared } from "../engine/scenario.ts";
import { Violation } from "../engine/violation.ts";
import type { Library } from "../library.ts";
import { bootCpus, freeWords } from "./small-heap.ts";

/** Each CPU has two nodes of its own to add; what it takes it may add again. */
export class Llists implements Prepared {
  readonly words: Int32Array;
  readonly cpus = 2;
  readonly nested: readonly Call[];
  readonly alphabet: readonly Call[];
  private readonly library: Library;
  private readonly head: number;
  private readonly taker: number;
  private readonly nodes: readonly number[];
  private held: number[][] = [[], []];

  constructor(library: Library) {
    this.library = library;
    const [system] = bootCpus(library, this.cpus, 24);
    this.words = system.arena.words;
    const [head, taker, ...nodes] = freeWords(system, 6);
    this.head = head;
    this.taker = taker;
    this.nodes = nodes;
    this.alphabet = this.makeCalls();
    this.nested = [this.alphabet[0], this.alphabet[1]];
  }

  reset(): void {
    this.held = [
      [this.nodes[0], this.nodes[1]],
      [this.nodes[2], this.nodes[3]],
    ];
  }

  fingerprint(cpu: number): number {
    return this.held[cpu].reduce((hash, node) => Math.imul(hash, 31) + node, 7) | 0;
  }

  finish(dead: readonly number[]): void {
    if (dead.length > 0) return;
    const listed: number[] = [];
    for (let node = this.words[this.head]; node !== 0 && listed.length < 9; node = this.words[node])
      listed.push(node);
    const all = [...this.held[0], ...this.held[1], ...listed].sort((a, b) => a - b);
    const wanted = [...this.nodes].sort((a, b) => a - b);
    if (all.join() !== wanted.join()) throw new Violation("leak", `nodes ${wanted} became ${all}`);
  }

  private makeCalls(): Call[] {
    const { llistAdd, llistDelAll, llistDelFirst, llistNext, tryTake, releaseTaker } = this.library.sync;
    const keepAll = (cpu: number, _argument: number, first: number): void => {
      for (let node = first; node !== 0; node = this.words[node]) this.keep(cpu, node);
    };
    return [
      {
        name: "add",
        begin: (cpu) => this.held[cpu].shift() ?? 0,
        run: (_cpu, node) => (node === 0 ? 0 : Number(llistAdd(this.words, this.head, node))),
      },
      {
        name: "delAll",
        run: (cpu) => {
          if (!tryTake(this.words, this.taker, cpu + 1)) return 0;
          const first = llistDelAll(this.words, this.head);
          releaseTaker(this.words, this.taker);
          for (let node = first; node !== 0; node = llistNext(this.words, node));
          return first;
        },
        done: keepAll,
      },
      {
        name: "delFirst",
        run: (cpu) => {
          if (!tryTake(this.words, this.taker, cpu + 1)) return 0;
          const node = llistDelFirst(this.words, this.head);
          releaseTaker(this.words, this.taker);
          return node;
        },
        done: (cpu, _argument, node) => {
          if (node !== 0) this.keep(cpu, node);
        },
      },
    ];
  }

  private keep(cpu: number, node: number): void {
    if (this.held.some((list) => list.includes(node)))
      throw new Violation("double-owner", `node ${node} was taken twice`);
    this.held[cpu].push(node);
  }
}
