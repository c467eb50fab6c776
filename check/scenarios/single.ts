/** What one CPU alone shows: that each size gets the right bucket, and that an allocator without its first objects says so. */

import type { Booted } from "#src/boot.js";
import type { MemAlloc } from "#src/memalloc/index.js";
import { readPrivate } from "../engine/primitive.ts";
import type { Call, Prepared } from "../engine/scenario.ts";
import { Violation } from "../engine/violation.ts";
import type { Library } from "../library.ts";
import { checkBooks } from "../oracles/books.ts";
import { bootCpus } from "./small-heap.ts";

/** Allocates and frees objects of sizes around the edges of the buckets. */
export class Sizes implements Prepared {
  readonly words: Int32Array;
  readonly cpus = 1;
  readonly nested: readonly Call[] = [];
  readonly calls: readonly Call[];
  private readonly library: Library;
  private readonly system: Booted;
  private readonly any: MemAlloc;

  constructor(library: Library) {
    this.library = library;
    [this.system] = bootCpus(library, 1, 40);
    this.words = this.system.arena.words;
    this.any = this.system.allocators.openMemAlloc("any", false);
    const sizes = [1, 8, 9, 24, 56, 57, 248, 249, 504, 2040, 4087, 4088];
    this.calls = sizes.map((size) => ({ name: `alloc ${size}, free`, run: () => this.around(size) }));
  }

  reset(): void {}

  fingerprint(): number {
    return 0;
  }

  finish(): void {
    checkBooks(this.library, this.system, [], []);
  }

  private around(size: number): number {
    const { OBJECT_HOME, HEADER_WORDS, UNIT_WORDS } = this.library.cacheLayout;
    const p = this.any.alloc(size);
    const home = readPrivate(this.words, (p >>> 2) - HEADER_WORDS + OBJECT_HOME);
    const unit = readPrivate(this.words, home + UNIT_WORDS) * 4;
    const right = this.library.memalloc.UNIT_SIZES.find((bytes) => bytes >= size + HEADER_WORDS * 4);
    if (unit !== right)
      throw new Violation("wrong-bucket", `${size} bytes came from the bucket of ${unit}, not ${right}`);
    this.any.free(p);
    return p;
  }
}

/** Opens an allocator in a heap that has no page left. */
export class FullHeap implements Prepared {
  readonly words: Int32Array;
  readonly cpus = 1;
  readonly nested: readonly Call[] = [];
  readonly calls: readonly Call[];
  private readonly system: Booted;

  constructor(library: Library) {
    [this.system] = bootCpus(library, 1, 24);
    this.words = this.system.arena.words;
    while (this.system.kmalloc.alloc(4096) !== 0);
    this.calls = [{ name: "open, alloc", run: () => this.open() }];
  }

  reset(): void {}

  fingerprint(): number {
    return 0;
  }

  finish(): void {}

  private open(): number {
    let opened: { alloc(): number } | undefined;
    try {
      opened = this.system.allocators.openMemCache("late", 3000);
    } catch (error) {
      if ((error as { code?: string }).code !== "out-of-memory") throw error;
    }
    if (opened?.alloc() === 0)
      throw new Violation("null-at-first-use", "an allocator was opened, and has nothing to give");
    return 0;
  }
}
