/** Objects that are prepared once, when their slab is made, and freed in that state. */
import assert from "node:assert/strict";
import { SharedHeap } from "sharedheap";

using heap = SharedHeap.create({ bytes: 16 * 2 ** 20, maxCpus: 1 });
const matrices = heap.kmemCache({
  name: "matrix",
  size: 128,
  align: 64,
  ctor: (p) => {
    for (let i = 0; i < 4; i++) heap.f64[(p >>> 3) + i * 5] = 1; // the identity
  },
});
const p = matrices.alloc();
assert.equal(p % 64, 0);
assert.equal(heap.f64[(p >>> 3) + 5], 1);
matrices.free(p);
