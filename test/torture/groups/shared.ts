/** Groups that all threads open by the same names, use, and drop, without a word to each other. */
import type { Memcg } from "sharedheap";
import type { Group } from "./group.ts";
import { attempt } from "./refusals.ts";
import type { Tenant } from "./tenant.ts";

const COUNT = 2;

export class Shared {
  private readonly tenant: Tenant;

  constructor(tenant: Tenant) {
    this.tenant = tenant;
  }

  /** One of them, to be used as others are. Undefined: no room for another name. */
  open(): Group | undefined {
    const memcg = this.openOne(this.tenant.random(COUNT));
    if (memcg === undefined) return undefined;
    const alike = { depth: 1, parent: undefined, max: Infinity, isRoomy: true, isUnderRoot: true };
    return { name: memcg.name, memcg, isShared: true, ...alike };
  }

  /** Drops one of them, or sets its limit, which it does not have. */
  touch(): void {
    const { random, tally } = this.tenant;
    const memcg = this.openOne(random(COUNT));
    if (memcg === undefined) return;
    const touch = () => {
      if (random(2) === 0) memcg.drop();
      else memcg.max = Infinity;
    };
    attempt(tally, ["destroyed"], touch);
  }

  dropAll(): void {
    for (let i = 0; i < COUNT; i++) this.openOne(i)?.drop();
  }

  private openOne(i: number): Memcg | undefined {
    const { heap, groups, tally } = this.tenant;
    return attempt(tally, ["limit"], () => heap.memcg({ name: `shared ${i}`, parent: groups.root }));
  }
}
