/** Synchronous read sections: elements are picked up, looked at again and again, and must stay what they are. */
import type { Access } from "./access.ts";
import type { Tally } from "./counters.ts";
import type { Elements } from "./elements.ts";
import { KINDS, type Kind, SLOTS } from "./kinds.ts";
import type { Place } from "./place.ts";
import type { Sections } from "./sections.ts";

/** Elements held at most in a section, and picked up at each depth of it. */
const MAX_HELD = 16;
const PICKED = 4;
const MAX_DEPTH = 3;

export class SyncReader {
  private readonly access: Access;
  private readonly elements: Elements;
  private readonly sections: Sections;
  private readonly tally: Tally;
  private readonly random: (below: number) => number;
  private readonly slots: number;
  private readonly word: number;
  private depth = 0;
  private held = 0;
  private readonly pointers = new Uint32Array(MAX_HELD);
  private readonly generations = new Int32Array(MAX_HELD);
  private readonly kinds: Kind[] = new Array(MAX_HELD).fill(KINDS[0]);

  constructor(
    access: Access,
    elements: Elements,
    sections: Sections,
    tally: Tally,
    random: (below: number) => number,
    place: Place,
  ) {
    this.access = access;
    this.elements = elements;
    this.sections = sections;
    this.tally = tally;
    this.random = random;
    this.slots = place.slots;
    this.word = place.control.syncWord(place.thread);
  }

  /** A section of `rounds` looks at what is held, with `between` after each; sometimes with others inside it. */
  section(rounds: number, between: () => void): void {
    this.begin();
    for (let i = 0; i < PICKED; i++) this.pick();
    for (let round = 0; round < rounds; round++) {
      between();
      if (this.depth < MAX_DEPTH && this.random(32) === 0) this.section(2, between);
      this.look();
    }
    this.end();
  }

  private begin(): void {
    this.access.heap.rcu.readLock();
    if (this.depth++ === 0) this.sections.begun(this.word);
    this.tally.add("sections");
  }

  private end(): void {
    if (--this.depth === 0) {
      this.held = 0;
      this.sections.ends(this.word);
    }
    this.access.heap.rcu.readUnlock();
  }

  private pick(): void {
    if (this.held === MAX_HELD) return;
    const kind = KINDS[this.random(KINDS.length)];
    const p = this.access.dereference(this.slots + (kind.firstSlot + this.random(SLOTS)) * 4);
    if (p === 0) return;
    this.pointers[this.held] = p;
    this.generations[this.held] = this.elements.generation(p);
    this.kinds[this.held] = kind;
    this.held++;
  }

  private look(): void {
    for (let i = 0; i < this.held; i++) {
      const { type, reclaim } = this.kinds[i];
      if (reclaim === "rcu") this.elements.checkSame(this.pointers[i], type, this.generations[i]);
      else this.elements.checkType(this.pointers[i], type);
    }
    this.tally.add("reads", this.held);
  }
}
