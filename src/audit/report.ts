/** What an audit found. */

/** An object of an allocator that was in no place: taken off one list, and not put onto the next one. */
export interface InHand {
  /** The offset of its payload. */
  readonly p: number;
  /** Bytes that slab holds for it, header included; on each CPU if it is a per-CPU one. */
  readonly bytes: number;
}

/** Pages in a row. */
export interface PageRun {
  /** The offset of the first byte. */
  readonly p: number;
  readonly pages: number;
}

/** Objects of all allocators that slab counts as in use: used = listed + out + leaked + in hand. */
export interface AuditBooks {
  readonly used: number;
  /** On lists of some allocator, or on their way through a grace period. */
  readonly listed: number;
  /** The program's: their headers say so. */
  readonly out: number;
  /** Of these allocators nobody knows any more: they were destroyed while the objects were out. */
  readonly leaked: number;
}

/** As it was found; with `repair`, which is the default, none of it is left. */
export interface AuditReport {
  /** True if there was nothing to find: all that follows, but for the books, is empty. */
  readonly isClean: boolean;
  readonly books: AuditBooks;
  readonly inHand: readonly InHand[];
  /** Slabs that nobody had. */
  readonly slabs: readonly PageRun[];
  /** Pages that were taken, but for no slab and no block. */
  readonly pages: readonly PageRun[];
  /** Allocators and groups that were half made, or half gone: a line each. */
  readonly records: readonly string[];
  /** What was counted wrong, or claimed by threads that are gone: a line each. */
  readonly corrected: readonly string[];
}

/** One thing that was found, and what mends it. Mending goes by differences, and in any order. */
export interface Finding {
  readonly line: string;
  readonly mend: () => void;
}
