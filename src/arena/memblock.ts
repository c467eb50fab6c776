/**
 * The boot allocator (the kernel's memblock): each layer reserves its tables from it, in a fixed
 * order, while a thread boots. Creator and attachers do the same and get the same addresses, so
 * no address needs to be stored in the heap.
 */
import { LINE_WORDS } from "../sync/layout.ts";

export class Memblock {
  private next: number;

  constructor(from: number) {
    this.next = from;
  }

  /** Reserves `count` words, aligned to `alignWords` (a power of two). Returns the first one's address. */
  reserve(count: number, alignWords: number = LINE_WORDS): number {
    const at = (this.next + alignWords - 1) & -alignWords;
    this.next = at + count;
    return at;
  }

  /** The first word behind everything reserved. */
  get end(): number {
    return this.next;
  }
}
