/**
 * An allocator that two CPUs open by its name, in a group that has room for its first objects at times. Who has opened it
 * has it until somebody destroys it, which nobody does.
 */
import type { Ref } from "#src/arena/index.js";
import type { Booted } from "#src/boot.js";
import { loadAcquire } from "../engine/primitive.ts";
import type { Call, Prepared } from "../engine/scenario.ts";
import { Violation } from "../engine/violation.ts";
import type { Library } from "../library.ts";
import { checkSound } from "../oracles/books.ts";
import { bootCpus, pollUntilQuiet } from "./small-heap.ts";

const SIZE = 2040;
const ROOM = 1 << 20;

export class Openers implements Prepared {
  readonly words: Int32Array;
  readonly cpus = 2;
  readonly nested: readonly Call[] = [];
  readonly calls: Record<"open" | "room" | "full", Call>;
  private readonly library: Library;
  private readonly booted: readonly Booted[];
  private readonly group: Ref;
  /** CPUs that have it open. */
  private readonly open = new Set<number>();

  constructor(library: Library) {
    this.library = library;
    this.booted = bootCpus(library, this.cpus, 24);
    this.words = this.booted[0].arena.words;
    this.group = this.booted[0].memcgs.open("group", 0, undefined);
    const limit = (name: string, max: number): Call => ({
      name,
      run: (cpu) => {
        this.booted[cpu].memcgs.setMax(this.group, max);
        return 0;
      },
    });
    this.calls = {
      open: {
        name: "open",
        run: (cpu) => this.openIn(cpu),
        done: (cpu, _argument, opened) => opened !== 0 && this.open.add(cpu),
      },
      room: limit("make room", ROOM),
      full: limit("make full", 0),
    };
  }

  reset(): void {
    this.open.clear();
  }

  fingerprint(cpu: number): number {
    return Number(this.open.has(cpu));
  }

  quiesce(): void {
    pollUntilQuiet(this.library, this.booted);
  }

  finish(): void {
    const [system] = this.booted;
    checkSound(this.library, system);
    if (system.registry.isDraining)
      throw new Violation("not-at-rest", "an allocator was refused, and does not go away");
    const { PIN } = this.library.cacheLayout;
    const [allocator] = system.allocators.list();
    for (const cpu of this.open) {
      const isThere = allocator !== undefined && system.registry.isLive(allocator.ref);
      if (!isThere || loadAcquire(this.words, system.allocators.cachesOn(cpu, allocator)[0] + PIN) === 0)
        throw new Violation("early-release", `CPU ${cpu} has opened an allocator that is not there`);
    }
  }

  /** Returns 1, or 0 if it was refused. */
  private openIn(cpu: number): number {
    try {
      this.booted[cpu].allocators.openMemCache("objects", SIZE, "", false, this.group);
      return 1;
    } catch (error) {
      if ((error as { code?: string }).code === "out-of-memory") return 0;
      throw error;
    }
  }
}
