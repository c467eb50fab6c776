/** Allocators that were destroyed: each is waited for, and what is left of it given back. */
import type { Opened } from "./kinds.ts";
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
  end(pool: Opened): void {
    const over = pool.destroy();
    this.pending++;
    this.tenant.tally.add("destroyed");
    this.tenant.tally.add("endings");
    void over.then(({ leaked }) => this.ended(leaked));
  }

  private ended(leaked: readonly number[]): void {
    const { heap, tally } = this.tenant;
    heap.freeLeaked(leaked);
    tally.add("leaked", leaked.length);
    tally.add("endings", -1);
    this.pending--;
  }
}
