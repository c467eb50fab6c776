/** Async read sections, which span turns of the event loop. */
import { setTimeout as pause, setImmediate as turn } from "node:timers/promises";
import type { Access } from "./access.ts";
import { ASYNC_READERS } from "./control.ts";
import type { Tally } from "./counters.ts";
import type { Elements } from "./elements.ts";
import { KINDS, type Kind, SLOTS } from "./kinds.ts";
import type { Place } from "./place.ts";
import type { Sections } from "./sections.ts";

const PICKED = 4;
const MAX_LOOKS = 8;
const MAX_PAUSE_MS = 4;

interface Held {
  readonly kind: Kind;
  readonly p: number;
  readonly generation: number;
}

export class AsyncReaders {
  private readonly access: Access;
  private readonly elements: Elements;
  private readonly sections: Sections;
  private readonly tally: Tally;
  private readonly random: (below: number) => number;
  private readonly slots: number;
  /** Section words that are not in use now. */
  private readonly free: number[];

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
    const { control, thread } = place;
    this.free = Array.from({ length: ASYNC_READERS }, (_, reader) => control.asyncWord(thread, reader));
  }

  /** True if no section is open. */
  get isEmpty(): boolean {
    return this.free.length === ASYNC_READERS;
  }

  /** Starts a section, if there may be one more; it ends by itself in a later turn. */
  start(): void {
    const word = this.free.pop();
    if (word !== undefined) void this.section(word);
  }

  private async section(word: number): Promise<void> {
    const exit = this.enter();
    this.sections.begun(word);
    const held = Array.from({ length: PICKED }, () => this.pick()).filter(({ p }) => p !== 0);
    for (let looks = 1 + this.random(MAX_LOOKS); looks > 0; looks--) {
      if (this.random(4) === 0) await pause(this.random(MAX_PAUSE_MS));
      else await turn();
      for (const one of held) this.look(one);
      this.tally.add("asyncReads", held.length);
    }
    this.sections.ends(word);
    exit();
    this.tally.add("asyncSections");
    this.free.push(word);
  }

  /** Returns what ends it. */
  private enter(): () => void {
    const { tasksTrace } = this.access.heap.rcu;
    if (this.random(2) === 0) {
      const section = tasksTrace.enter();
      return () => section.exit();
    }
    const phase = tasksTrace.lock();
    return () => tasksTrace.unlock(phase);
  }

  private pick(): Held {
    const kind = KINDS[this.random(KINDS.length)];
    const p = this.access.dereference(this.slots + (kind.firstSlot + this.random(SLOTS)) * 4);
    return { kind, p, generation: p === 0 ? 0 : this.elements.generation(p) };
  }

  private look({ kind, p, generation }: Held): void {
    if (kind.reclaim === "trace") this.elements.checkSame(p, kind.type, generation);
    else this.elements.checkType(p, kind.type);
  }
}
