import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { llistAdd, llistDelAll, llistDelFirst, llistEmpty, llistNext } from "#src/sync/index.js";
import { runThreads } from "../support/threads.ts";
import { NODE_WORDS } from "./llist-worker.ts";

const HEAD = 3;
const worker = new URL("./llist-worker.js", import.meta.url);

function chain(words: Int32Array, first: number): number[] {
  const nodes: number[] = [];
  for (let node = first; node !== 0; node = llistNext(words, node)) nodes.push(node);
  return nodes;
}

test("an empty list is 0 and gives 0", () => {
  const words = new Int32Array(16);
  assert.equal(llistEmpty(words, HEAD), true);
  assert.equal(llistDelFirst(words, HEAD), 0);
  assert.equal(llistDelAll(words, HEAD), 0);
});

test("add says whether the list was empty", () => {
  const words = new Int32Array(16);
  assert.equal(llistAdd(words, HEAD, 8), true);
  assert.equal(llistAdd(words, HEAD, 9), false);
  assert.equal(llistDelFirst(words, HEAD), 9);
  assert.equal(llistAdd(words, HEAD, 9), false);
  llistDelAll(words, HEAD);
  assert.equal(llistAdd(words, HEAD, 9), true);
});

test("what was taken is the newest first, and stays linked", () => {
  const words = new Int32Array(16);
  for (const node of [8, 12, 10]) llistAdd(words, HEAD, node);
  const first = llistDelAll(words, HEAD);
  assert.equal(llistEmpty(words, HEAD), true);
  assert.deepEqual(chain(words, first), [10, 12, 8]);
});

test("any sequence of calls does what a stack does", () => {
  const call = fc.constantFrom("add", "add", "add", "first", "all");
  fc.assert(
    fc.property(fc.array(call, { maxLength: 60 }), (calls) => {
      const words = new Int32Array(16 + 60);
      const model: number[] = [];
      calls.forEach((name, i) => {
        if (name === "add") assert.equal(llistAdd(words, HEAD, 16 + i), model.length === 0);
        if (name === "add") model.unshift(16 + i);
        if (name === "first") assert.equal(llistDelFirst(words, HEAD), model.shift() ?? 0);
        if (name === "all") assert.deepEqual(chain(words, llistDelAll(words, HEAD)), model.splice(0));
        assert.equal(llistEmpty(words, HEAD), model.length === 0);
      });
      assert.equal(words.subarray(0, 16).filter((word) => word !== 0).length, model.length === 0 ? 0 : 1);
    }),
  );
});

/** All nodes are somewhere, each once: on the list, or with a thread. */
async function hammer(taking: "all" | "first", threads: number): Promise<void> {
  const each = 50;
  const words = new Int32Array(new SharedArrayBuffer((64 + threads * each * NODE_WORDS) * 4));
  const jobs = Array.from({ length: threads }, (_, i) => ({
    words,
    index: i,
    each,
    taking,
    rounds: 250_000,
  }));
  const left = await runThreads<number[]>(worker, jobs);
  const found = [...left.flat(), ...chain(words, llistDelAll(words, 0))].sort((a, b) => a - b);
  assert.deepEqual(
    found,
    Array.from({ length: threads * each }, (_, i) => 64 + i * NODE_WORDS),
  );
}

test("threads that push and take all lose and double nothing", { timeout: 60_000 }, () => hammer("all", 3));

test("threads that push, and pop with the taker word, lose and double nothing", { timeout: 60_000 }, () =>
  hammer("first", 3),
);
