/** `heap.malloc` and `heap.free`: memory of any size, from an any-size allocator or, where it is large, from kmalloc. */
import { SharedHeapError } from "./arena/index.ts";
import { PAGE_BYTES, ZERO_SIZE_PTR } from "./arena/layout.ts";
import type { Booted } from "./boot.ts";
import type { MemAlloc } from "./memalloc/index.ts";
import { HEADER_BYTES, MAX_PAYLOAD } from "./memalloc/layout.ts";
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
    const allocator = this.allocator ?? this.open();
    if (bytes <= MAX_PAYLOAD) return allocator.alloc(bytes);
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
    const { kmalloc, allocators } = this.heap.live();
    if (allocators.isLive(NAME, p + HEADER_BYTES)) {
      throw new SharedHeapError(
        "bad-pointer",
        `free(${p}): that is the header of an object, which begins 8 bytes later`,
      );
    }
    kmalloc.free(p, MAX_PAYLOAD + 1);
  }

  /** The allocator for the first free on this thread; undefined if there is nothing to free. */
  private openFor(p: number): MemAlloc | undefined {
    const { allocators } = this.heap.live();
    if (p === ZERO_SIZE_PTR) return undefined;
    allocators.checkLive(NAME, p);
    return this.open();
  }

  private open(): MemAlloc {
    // even without stock: a thread must be able to free when the heap is full
    this.allocator = this.heap.keep(this.heap.live(true).allocators.openMemAlloc(NAME, true));
    return this.allocator;
  }
}
