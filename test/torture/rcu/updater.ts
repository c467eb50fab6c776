/** Replaces elements, and frees the old ones. */
import type { Access } from "./access.ts";
import type { Tally } from "./counters.ts";
import { type Elements, FREED, FREED_RCU } from "./elements.ts";
import { KINDS, type Kind, SLOTS } from "./kinds.ts";
import type { Place } from "./place.ts";
import type { Retirer } from "./retirer.ts";

/** One of so many elements that freeRcu could free is freed by a closure instead. */
const RETIRE_ONE_OF = 256;

export class Updater {
  private readonly access: Access;
  private readonly elements: Elements;
  private readonly retirer: Retirer;
  private readonly tally: Tally;
  private readonly random: (below: number) => number;
  private readonly slots: number;
  private readonly thread: number;
  private readonly threads: number;
  private readonly ownSlots: number;
  private generation: number;

  constructor(
    access: Access,
    elements: Elements,
    retirer: Retirer,
    tally: Tally,
    random: (below: number) => number,
    place: Place,
  ) {
    this.access = access;
    this.elements = elements;
    this.retirer = retirer;
    this.tally = tally;
    this.random = random;
    this.slots = place.slots;
    this.thread = place.thread;
    this.threads = place.control.threads;
    this.ownSlots = Math.floor(SLOTS / 2 / this.threads);
    this.generation = this.thread;
  }

  /** Replaces one of the elements that are freed at once. Any context. */
  update(): void {
    const kind = this.anyKind();
    const p = this.make(kind);
    if (p !== 0) this.put(kind, this.pickSlot(), p);
  }

  /** Empties or fills many slots of a kind, so that objects pile up here or get few. */
  drain(): void {
    const kind = this.anyKind();
    for (let slot = 0; slot < SLOTS; slot += 2) this.put(kind, slot, 0);
    for (let slot = this.ownSlot(0); slot < SLOTS; slot += 2 * this.threads) this.put(kind, slot, 0);
  }

  /** Allocates `count` elements and frees them: more than a cache keeps. */
  hoard(count: number): void {
    const kind = this.anyKind();
    const hoard = Array.from({ length: count }, () => this.make(kind));
    for (const p of hoard) if (p !== 0) this.drop(kind, p);
  }

  /** Replaces `count` elements that wait for a tasks-trace grace period. Task context. */
  updateTraced(count: number): void {
    const kind = KINDS.filter(({ reclaim }) => reclaim === "trace")[this.random(KINDS.length / 3)];
    const old: number[] = [];
    for (let i = 0; i < count; i++) {
      const p = this.make(kind);
      const was = p === 0 ? 0 : this.swap(kind, this.pickSlot(), p);
      if (was !== 0) old.push(was);
    }
    this.retirer.retire(kind, old);
  }

  private anyKind(): Kind {
    return KINDS[this.random((KINDS.length / 3) * 2)];
  }

  private make({ type }: Kind): number {
    const p = this.access.alloc(type);
    if (p === 0) return 0;
    this.generation = (this.generation + this.threads) | 0;
    this.elements.make(p, type, this.generation);
    this.tally.add("made");
    return p;
  }

  private put(kind: Kind, slot: number, p: number): void {
    const old = this.swap(kind, slot, p);
    if (old !== 0) this.drop(kind, old);
  }

  /** Puts `p` into a slot. Returns what was there. */
  private swap(kind: Kind, slot: number, p: number): number {
    const at = this.slots + (kind.firstSlot + slot) * 4;
    this.tally.add("updates");
    return (slot & 1) === 0 ? this.access.exchange(at, p) : this.access.assign(at, p);
  }

  /** Everybody's, or one of this thread's. */
  private pickSlot(): number {
    const pick = this.random(SLOTS);
    return (pick & 1) === 0 ? pick : this.ownSlot((pick >>> 1) % this.ownSlots);
  }

  private ownSlot(i: number): number {
    return (i * this.threads + this.thread) * 2 + 1;
  }

  private drop(kind: Kind, p: number): void {
    if (kind.reclaim === "plain") {
      this.elements.mark(p, FREED);
      this.access.free(kind.type, p);
    } else if (this.random(RETIRE_ONE_OF) === 0) {
      this.retirer.retire(kind, [p]);
    } else {
      this.elements.mark(p, FREED_RCU);
      this.access.freeRcu(kind.type, p);
    }
  }
}
