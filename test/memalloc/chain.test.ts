import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { chainFirst, chainLink, chainNext, chainPush } from "#src/memalloc/chain.js";
import { OBJECT_CHECK } from "#src/memalloc/layout.js";

function walk(words: Int32Array, first: number): number[] {
  const nodes = [];
  for (let node = first; node !== 0; node = chainNext(words, node)) nodes.push(node);
  return nodes;
}

test("a chain gives its objects back, the last pushed first", () => {
  const order = fc.shuffledSubarray(Array.from({ length: 48 }, (_, i) => (i + 1) * 4));
  fc.assert(
    fc.property(order, (nodes) => {
      const words = new Int32Array(256).fill(-7);
      let first = 0;
      for (const node of nodes) {
        chainPush(words, first, node);
        first = node;
      }
      assert.deepEqual(walk(words, first), nodes.toReversed());
      for (const node of nodes)
        assert.equal(words[node + OBJECT_CHECK], 0, "no object of a chain looks allocated");
    }),
  );
});

test("the link of a chain names its first object, and leaves the links inside alone", () => {
  const words = new Int32Array(64);
  chainPush(words, 0, 8);
  chainPush(words, 8, 16);
  const link = chainLink(16);
  assert.equal(chainFirst(link), 16);
  words[link] = 40;
  assert.deepEqual(walk(words, chainFirst(link)), [16, 8]);
});
