/** What kmalloc and the slab caches of a debug heap have in common: their objects have no allocator's header. */
import { SharedHeapError } from "../arena/index.ts";
import type { Contents } from "./hand-out.ts";
import { HOW_SLAB } from "./layout.ts";
import type { PoolParts } from "./pools.ts";
import { sizeOf } from "./record.ts";

export class Blocks {
  private readonly parts: PoolParts;

  constructor(parts: PoolParts) {
    this.parts = parts;
  }

  /** The program's part, `front` bytes into the memory at `start`, which may be NULL. */
  handOut(start: number, front: number, size: number, key: number, contents: Contents): number {
    if (start === 0) return 0;
    const { handOut, sites, cpu } = this.parts;
    handOut.make(start + front, size, key, contents, { site: sites.here(), claim: cpu.claim });
    return start + front;
  }

  /** See Retire.retry. */
  retry(alloc: () => number): number {
    return this.parts.retire.retry(alloc);
  }

  /** Frees the object of `key` at `p`. Errors: those of FreeCheck; `bad-pointer` below `minBytes`; what was found on the way. */
  free(p: number, key: number, call: string, minBytes = 0): void {
    const { check, retire, reports, sites, cpu, findings } = this.parts;
    const memory = check.live(p, key, call);
    if (sizeOf(reports.words, p) < minBytes)
      throw new SharedHeapError(
        "bad-pointer",
        `${call}an object of that size is not freed here; ${reports.object(p)}`,
      );
    if (!retire.free(p, memory, HOW_SLAB, { site: sites.here(), claim: cpu.claim }))
      throw check.freedTwice(p, call);
    findings.tell();
  }
}
