// Where objects come from in the control run: a list of objects that were allocated before, linked by their first
// words. It does for one thread what the allocator does, in the fewest steps.

export class Shelf {
  /** `head`: the offset of the word that holds the first object's offset. */
  constructor(heap, head) {
    this.i32 = heap.i32;
    this.head = head >>> 2;
  }

  alloc() {
    const p = this.i32[this.head];
    if (p !== 0) this.i32[this.head] = this.i32[p >>> 2];
    return p;
  }

  free(p) {
    this.i32[p >>> 2] = this.i32[this.head];
    this.i32[this.head] = p;
  }
}
