/** Unlinked elements that a closure frees, or code behind a synchronize(): after a grace period of the program's own asking. */
import type { Access } from "./access.ts";
import type { Tally } from "./counters.ts";
import { type Elements, FREED, UNLINKED } from "./elements.ts";
import type { Kind } from "./kinds.ts";

export class Retirer {
  private readonly access: Access;
  private readonly elements: Elements;
  private readonly tally: Tally;
  private readonly random: (below: number) => number;
  /** Times that something is waited for; a detach would lose what waits. */
  private waits = 0;

  constructor(access: Access, elements: Elements, tally: Tally, random: (below: number) => number) {
    this.access = access;
    this.elements = elements;
    this.tally = tally;
    this.random = random;
  }

  get isEmpty(): boolean {
    return this.waits === 0;
  }

  /** Any context. */
  retire(kind: Kind, old: readonly number[]): void {
    for (const p of old) this.elements.mark(p, UNLINKED);
    const { rcu } = this.access.heap;
    const periods = kind.reclaim === "rcu" ? rcu : rcu.tasksTrace;
    const isInTask = this.access.heap.context.inTask();
    this.waits++;
    const way = this.random(4);
    if (way === 0) void this.afterSynchronize(periods.synchronize(), kind, old);
    else if (way === 1 && isInTask) periods.callHurry(() => this.expire(kind, old));
    else periods.call(() => this.expire(kind, old));
  }

  private async afterSynchronize(over: Promise<void>, kind: Kind, old: readonly number[]): Promise<void> {
    await over;
    this.tally.add("synchronizes");
    this.expire(kind, old);
  }

  private expire({ type, reclaim }: Kind, old: readonly number[]): void {
    for (const p of old) {
      this.elements.expire(p, type, reclaim === "rcu" ? "rcu" : "trace");
      this.elements.mark(p, FREED);
      this.access.free(type, p);
      this.tally.add("retired");
    }
    this.waits--;
  }
}
