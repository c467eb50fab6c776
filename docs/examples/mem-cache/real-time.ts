/** Real-time code allocates from its stock; what it used up is refilled when it is over. */
import assert from "node:assert/strict";
import { SharedHeap } from "sharedheap";

using heap = SharedHeap.create({ bytes: 16 * 2 ** 20, maxCpus: 1 });
const voices = heap.memCache({ name: "voice", size: 248 });
voices.free(voices.alloc()); // the first use fills the stock

const playing = heap.context.nmi(() => {
  // in here no call does more than its own few steps
  return Array.from({ length: 16 }, () => voices.alloc());
});
assert.ok(playing.every((p) => p !== 0));
for (const p of playing) voices.free(p);
