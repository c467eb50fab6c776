/** `heap.malloc` and `heap.free`: memory of any size, from an any-size allocator or, where it is large, from kmalloc. */
import { PAGE_BYTES, ZERO_SIZE_PTR } from "./arena/layout.ts";
import type { Booted } from "./boot.ts";
import type { MemAlloc } from "./memalloc/index.ts";
import { MAX_PAYLOAD } from "./memalloc/layout.ts";
import { checkSize } from "./mm/index.ts";

/** The allocator behind it. */
const NAME = "malloc";

/** What it needs of the heap. */
interface Heap {
  /** Throws once the thread has detached; if something is to be opened, while it detaches too. */
  readonly live: (opens?: boolean) => Booted;
  readonly kmalloc: (bytes: number) => number;
  /** Notes an allocator that was opened. */
  readonly keep: (allocator: MemAlloc) => MemAlloc;
}

export class Malloc {
  private readonly heap: Heap;
  private allocator: MemAlloc | undefined;

  constructor(heap: Heap) {
    this.heap = heap;
  }

  alloc(bytes: number): number {
    const allocator = this.allocator ?? this.openToAlloc(bytes);
    if (typeof bytes === "number" && bytes <= MAX_PAYLOAD) return allocator.alloc(bytes);
    checkSize(bytes);
    return this.heap.kmalloc(bytes);
  }

  free(p: number): void {
    // kmalloc's offsets for such sizes are multiples of 4096; the allocator's are 8 above a multiple of 16
    if (typeof p === "number" && p % PAGE_BYTES === 0) this.freeLarge(p);
    else (this.allocator ?? this.openFor(p))?.free(p);
  }

  /** The allocator may have been destroyed: then the next call opens another one. */
  forgetDestroyed(): void {
    if (this.allocator?.isOpen === false) this.allocator = undefined;
  }

  private freeLarge(p: number): void {
    // which refuses the header of an object at the start of a page: slabs of objects with headers are no kmalloc's
    this.heap.live().kmalloc.free(p, MAX_PAYLOAD + 1);
  }

  /** The allocator for the first alloc on this thread, if that is not a wrong call. */
  private openToAlloc(bytes: number): MemAlloc {
    checkSize(bytes);
    return this.open();
  }

  /** The allocator for the first free on this thread; undefined if there is nothing to free. */
  private openFor(p: number): MemAlloc | undefined {
    const { allocators, debug } = this.heap.live();
    if (p === ZERO_SIZE_PTR) return undefined;
    (debug ?? allocators).checkLive(NAME, p);
    return this.open();
  }

  private open(): MemAlloc {
    // even without stock: a thread must be able to free when the heap is full
    this.allocator = this.heap.keep(this.heap.live(true).allocators.openMemAlloc(NAME, true));
    return this.allocator;
  }
}
