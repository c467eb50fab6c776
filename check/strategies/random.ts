/** A small repeatable random generator (xorshift32). The same seed gives the same schedule. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = Math.imul(seed | 1, 0x9e3779b1) || 1;
  }

  next(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return x >>> 0;
  }

  /** An integer from 0 to limit - 1. */
  below(limit: number): number {
    return this.next() % limit;
  }
}
