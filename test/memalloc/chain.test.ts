import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  chainFirst,
  chainHome,
  chainLink,
  chainNext,
  chainPush,
  chainSeal,
  chainUnseal,
} from "#src/memalloc/chain.js";
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
      // NULL
      words[OBJECT_CHECK] = 0;
      let first = 0;
      for (const node of nodes) {
        chainPush(words, first, node);
        first = node;
      }
      assert.deepEqual(walk(words, first), nodes.toReversed());
      for (const [i, node] of nodes.entries())
        assert.equal(words[node + OBJECT_CHECK], i + 1, "no object of a chain looks allocated");
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

test("a sealed chain says where its home is, and is a list again afterwards", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 48 }), fc.boolean(), (count, travels) => {
      const words = new Int32Array(256);
      const nodes = Array.from({ length: count }, (_, i) => (i + 1) * 4);
      nodes.forEach((node, i) => {
        chainPush(words, i === 0 ? 0 : nodes[i - 1], node);
      });
      const first = nodes[count - 1];
      if (travels) {
        chainSeal(words, first, 4321);
        words[chainLink(first)] = 1234;
        assert.equal(chainHome(words, first), 4321);
        assert.deepEqual(walk(words, first), nodes.toReversed());
      }
      chainUnseal(words, first);
      assert.deepEqual(walk(words, first), nodes.toReversed());
      for (const [i, node] of nodes.entries()) assert.equal(words[node + OBJECT_CHECK], i + 1);
    }),
  );
});
