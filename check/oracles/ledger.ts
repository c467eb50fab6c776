/**
 * What the program believes it holds: each object has one owner. Objects are in hands, of which a CPU may have
 * several: what nested calls were given they keep.
 */
import { Violation } from "../engine/violation.ts";

export class Ledger {
  /** Objects held, by hand, in the order in which they came. */
  readonly held: readonly number[][];
  private readonly owned = new Set<number>();

  constructor(hands: number) {
    this.held = Array.from({ length: hands }, () => []);
  }

  reset(): void {
    for (const list of this.held) list.length = 0;
    this.owned.clear();
  }

  /** An object came into a hand. */
  got(hand: number, p: number): void {
    if (this.owned.has(p)) throw new Violation("double-owner", `object ${p} was handed out twice`);
    this.owned.add(p);
    this.held[hand].push(p);
  }

  /** A hand gives its `index`-th object up: to a free, or to another CPU. 0: it has none. */
  giveUp(hand: number, index: number): number {
    const p = this.held[hand].splice(index, 1)[0] ?? 0;
    this.owned.delete(p);
    return p;
  }

  /** The objects that are out. */
  get out(): readonly number[] {
    return [...this.owned];
  }

  fingerprint(hand: number): number {
    let hash = 17;
    for (const p of this.held[hand]) hash = (Math.imul(hash, 31) + p) | 0;
    return hash;
  }
}
