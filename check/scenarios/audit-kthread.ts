/** A CPU whose refills others do, and two that help it, of which one dies at any step: what it had in hand is found. */
import { auditTwice } from "../oracles/audited.ts";
import { allOf, checkDistinct, checkNoneLost, reapDead } from "../oracles/reaped.ts";
import { KthreadClients } from "./kthread.ts";

export class AuditedKthread extends KthreadClients {
  private taken: readonly number[] = [];

  override quiesce(dead: readonly number[]): void {
    super.quiesce(dead);
    const survivor = reapDead(this.library, this.booted, dead);
    const system = this.booted[survivor];
    auditTwice(this.library, system, dead);
    const [allocator] = system.allocators.list();
    checkNoneLost(this.library, system, allocator, this.ledger.out, dead.length);
    this.taken = survivor === 0 ? allOf(() => this.pool.alloc()) : [];
  }

  override finish(): void {
    checkDistinct(this.taken, this.ledger.out);
  }
}
