/** Names: two CPUs make roots, open allocators and reserve words of the areas at the same moment. */
import type { Roots } from "#src/arena/index.js";
import type { Booted } from "#src/boot.js";
import { readPrivate } from "../engine/primitive.ts";
import type { Call, Prepared } from "../engine/scenario.ts";
import { Violation } from "../engine/violation.ts";
import type { Library } from "../library.ts";
import { checkSound } from "../oracles/books.ts";
import { bootCpus } from "./small-heap.ts";

/** Words that a CPU reserves: more than a line, so that what overlaps shows. */
const RESERVED = 20;

export class Names implements Prepared {
  readonly words: Int32Array;
  readonly cpus = 2;
  readonly nested: readonly Call[] = [];
  readonly set: Call;
  readonly setOther: Call;
  readonly get: Call;
  readonly reserve: Call;
  readonly open: Call;
  readonly openOther: Call;
  private readonly library: Library;
  private readonly booted: readonly Booted[];
  private readonly roots: readonly Roots[];
  /** What each CPU has set the root "a" to last; undefined: nothing yet. */
  private readonly last: (number | undefined)[] = [];
  private readonly reserved = new Set<number>();
  /** Where in the areas the caches of each allocator lie. */
  private readonly opened = new Map<string, number>();

  constructor(library: Library) {
    this.library = library;
    this.booted = bootCpus(library, this.cpus, 24);
    this.words = this.booted[0].arena.words;
    this.roots = this.booted.map(({ directory }) => new library.arena.Roots(directory));
    this.set = {
      ...this.setRoot("a"),
      done: (cpu) => {
        this.last[cpu] = contentOf(cpu);
      },
    };
    this.setOther = this.setRoot("b");
    this.get = {
      name: "get",
      run: (cpu) => this.roots[cpu].get("a"),
      done: (cpu, _argument, value) => this.checkValue(cpu, value),
    };
    this.reserve = {
      name: "reserve",
      run: (cpu) => this.booted[cpu].areas.reserve(RESERVED),
      done: (_cpu, _argument, offset) => this.got(offset),
    };
    this.open = this.openCache("a", 40);
    this.openOther = this.openCache("b", 40);
  }

  reset(): void {
    this.last.length = 0;
    this.reserved.clear();
    this.opened.clear();
  }

  fingerprint(cpu: number): number {
    return this.last[cpu] ?? 0;
  }

  finish(): void {
    checkSound(this.library, this.booted[0]);
    const value = this.roots[0].get("a");
    if (this.last.some((set) => set !== undefined) && !this.last.includes(value))
      throw new Violation("lost-name", `root "a" is ${value}, and was set to ${this.last}`);
  }

  private setRoot(name: string): Call {
    return {
      name: `set ${name}`,
      run: (cpu) => {
        this.roots[cpu].set(name, contentOf(cpu));
        return 0;
      },
    };
  }

  /** A CPU that has set the root finds it, whoever set it since. */
  private checkValue(cpu: number, value: number): void {
    const isKnown = value === contentOf(0) || value === contentOf(1);
    if (isKnown || (value === 0 && this.last[cpu] === undefined)) return;
    throw new Violation("lost-name", `CPU ${cpu} reads ${value} from the root that it set`);
  }

  private got(offset: number): void {
    for (let word = offset; word < offset + RESERVED; word++) {
      if (this.reserved.has(word)) throw new Violation("double-owner", `word ${word} was reserved twice`);
      this.reserved.add(word);
    }
  }

  /** Who opens an allocator of a name finds the same one as others, and its first objects. */
  private openCache(name: string, size: number): Call {
    const { OBJECT_HOME, HEADER_WORDS } = this.library.cacheLayout;
    return {
      name: `open ${name}`,
      run: (cpu) => {
        const opened = this.booted[cpu].allocators.openMemCache(name, size);
        const p = opened.alloc();
        if (p === 0) return 0;
        const home = readPrivate(this.words, (p >>> 2) - HEADER_WORDS + OBJECT_HOME);
        opened.free(p);
        return home & (this.booted[cpu].areas.areaWords - 1);
      },
      done: (_cpu, _argument, offset) => {
        if (offset === 0) throw new Violation("null-at-first-use", `allocator "${name}" has nothing to give`);
        const first = this.opened.get(name) ?? offset;
        if (offset !== first) throw new Violation("two-of-a-name", `two allocators have the name "${name}"`);
        this.opened.set(name, offset);
      },
    };
  }
}

function contentOf(cpu: number): number {
  return 64 * (cpu + 1);
}
