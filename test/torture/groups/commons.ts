/** Allocators that all threads open by the same names, use, and destroy, without a word to each other. */
import { type Opened, open, type Shape, sizeOf } from "./kinds.ts";
import { attempt } from "./refusals.ts";
import type { Tenant } from "./tenant.ts";

const SHAPES: readonly (Shape & { readonly isTight: boolean })[] = [
  { kind: "fixed", size: 40, isUnderRoot: true, isTight: false },
  { kind: "any", size: 4088, isUnderRoot: true, isTight: false },
  { kind: "percpu", size: 60, isUnderRoot: true, isTight: false },
  { kind: "fixed", size: 1000, isUnderRoot: true, isTight: true },
  { kind: "any", size: 4088, isUnderRoot: true, isTight: true },
];
/** Objects held of one, at most. */
const MAX_HELD = 40;

/** One of them, as this thread has it open, and its objects. */
interface Common {
  readonly opened: Opened;
  readonly held: number[];
}

export class Commons {
  private readonly tenant: Tenant;
  private readonly open: (Common | undefined)[] = SHAPES.map(() => undefined);

  constructor(tenant: Tenant) {
    this.tenant = tenant;
  }

  /** Some calls on one of them. */
  use(): void {
    const { random, tally } = this.tenant;
    const i = random(SHAPES.length);
    const common = this.there(i);
    if (common === undefined) return;
    for (let left = random(40); left > 0; left--) {
      tally.add("operations");
      if (random(2) === 0) this.free(SHAPES[i], common);
      else if (!this.alloc(i, common)) return;
    }
  }

  /** Ends one of them, whoever has it open, with what is out. */
  end(): void {
    this.endOne(this.tenant.random(SHAPES.length));
  }

  /** Frees what this thread has of them. */
  leave(): void {
    SHAPES.forEach((shape, i) => {
      const common = this.open[i];
      this.open[i] = undefined;
      while (common?.opened.isOpen && common.held.length > 0) this.free(shape, common);
    });
  }

  endAll(): void {
    for (let i = 0; i < SHAPES.length; i++) this.endOne(i);
  }

  /** Undefined: no room for another name. */
  private there(i: number): Common | undefined {
    const { heap, groups, tally } = this.tenant;
    const common = this.open[i];
    // what is held of one that was destroyed stays out
    if (common?.opened.isOpen) return common;
    const { isTight } = SHAPES[i];
    const memcg = isTight ? groups.tight : groups.root;
    const make = () => ({ opened: open(heap, `common ${i}`, SHAPES[i], memcg), held: [] });
    this.open[i] = attempt(tally, isTight ? ["limit", "out-of-memory"] : ["limit"], make);
    return this.open[i];
  }

  private endOne(i: number): void {
    const { endings, tally } = this.tenant;
    const common = this.there(i);
    if (common !== undefined) attempt(tally, ["destroyed"], () => endings.end(common.opened));
  }

  /** False: NULL. */
  private alloc(i: number, { opened, held }: Common): boolean {
    const { random, tally, pools } = this.tenant;
    if (held.length >= MAX_HELD) return true;
    const bytes = sizeOf(SHAPES[i], random);
    const p = opened.alloc(bytes);
    if (p === 0) {
      if (!SHAPES[i].isTight) throw new Error(`NULL for ${bytes} bytes in a group that has no limit`);
      tally.add("refused");
      return false;
    }
    pools.noteMade(SHAPES[i], p, bytes);
    held.push(p);
    return true;
  }

  private free(shape: Shape, { opened, held }: Common): void {
    const p = held.pop();
    if (p !== undefined) this.tenant.pools.release(opened, shape, p, this.tenant.random(8));
  }
}
