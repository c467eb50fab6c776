/** Allocators that were destroyed: each is waited for, and what is left of it given back. */
import { type Opened, type Shape, scrap } from "./kinds.ts";
import type { Tenant } from "./tenant.ts";

export class Endings {
  private readonly tenant: Tenant;
  private pending = 0;

  constructor(tenant: Tenant) {
    this.tenant = tenant;
  }

  /** A detach would lose those that are not. */
  get areOver(): boolean {
    return this.pending === 0;
  }

  /** Errors: those of `destroy`. */
  end(pool: Opened, shape: Shape): void {
    const over = pool.destroy();
    this.pending++;
    this.tenant.tally.add("destroyed");
    this.tenant.tally.add("endings");
    void over.then(({ leaked }) => this.ended(shape, leaked));
  }

  private ended(shape: Shape, leaked: readonly number[]): void {
    const { heap, tally } = this.tenant;
    for (const p of leaked) scrap(heap, shape, p);
    tally.add("leaked", leaked.length);
    tally.add("endings", -1);
    this.pending--;
  }
}
