/**
 * WebAssembly is interrupted: it calls out to JavaScript, which calls it back in a declared NMI context, and there it calls
 * our malloc again. No refill runs in there, so there is what was reserved; then malloc returns NULL, and the module
 * goes on with what it got.
 */
import assert from "node:assert/strict";
import { compile, createHeap, instantiate, type Trees } from "./trees.ts";

const RESERVED = 200;
const NODE_BYTES = 12;

const { memory, heap } = createHeap(1);
let got = 0;
const trees: Trees = instantiate(await compile(), memory, heap, (nodes) => {
  got = heap.context.nmi(() => trees.handle(nodes));
});

/** Lets the module be interrupted, by a handler that wants so many nodes. Returns how many it got. */
function interruptFor(nodes: number): number {
  const list = trees.work(nodes);
  assert.equal(trees.sum(list), got + 1); // one more, that `work` held meanwhile
  trees.drop(list);
  return got;
}

// what malloc takes from is an allocator of that name
heap.memAlloc({ name: "malloc" }).reserve(NODE_BYTES, RESERVED + 1);
assert.equal(interruptFor(RESERVED), RESERVED);
const most = interruptFor(10 * RESERVED);
assert.ok(most >= RESERVED && most < 10 * RESERVED);
assert.equal(interruptFor(RESERVED), RESERVED); // all is there again

heap.checkInvariants();
const malloc = heap.stats().allocators.find(({ name }) => name === "malloc");
assert.equal(malloc?.taken, malloc?.listed);
heap.detach();
