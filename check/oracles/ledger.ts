/**
 * What the program believes it holds: each object has one owner, keeps what was written into it, and in the
 * end the books balance.
 */
import { Violation } from "../engine/violation.ts";

export class Ledger {
  /** Objects held, by CPU, in the order in which they came. */
  readonly held: number[][];
  private readonly owned = new Set<number>();

  constructor(cpus: number) {
    this.held = Array.from({ length: cpus }, () => []);
  }

  reset(): void {
    for (const list of this.held) list.length = 0;
    this.owned.clear();
  }

  /** A CPU got an object from the allocator. */
  got(cpu: number, p: number): void {
    this.claim(p);
    this.held[cpu].push(p);
  }

  /** An object is somebody's from here on. */
  claim(p: number): void {
    if (this.owned.has(p)) throw new Violation("double-owner", `object ${p} was handed out twice`);
    this.owned.add(p);
  }

  /** A CPU gives its `index`-th object up: to a free, or to another CPU. 0: it has none. */
  giveUp(cpu: number, index: number): number {
    const p = this.held[cpu].splice(index, 1)[0] ?? 0;
    this.owned.delete(p);
    return p;
  }

  /** A CPU received an object that another one had given up. */
  received(cpu: number, p: number): void {
    this.got(cpu, p);
  }

  /** How many objects are out. */
  get out(): number {
    return this.owned.size;
  }

  fingerprint(cpu: number): number {
    let hash = 17;
    for (const p of this.held[cpu]) hash = (Math.imul(hash, 31) + p) | 0;
    return hash;
  }
}
