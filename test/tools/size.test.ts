// How large the library is in a program.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { BUDGETS, EVERYTHING, problemOf } from "../../tools/size/budget.ts";
import { bundle, sizeOf } from "../../tools/size/bundle.ts";
import { partsOf } from "../../tools/size/parts.ts";

const ONE_FUNCTION = 'import { isolationReport } from "sharedheap"; console.log(isolationReport());';

let everything = "";
before(async () => {
  everything = await bundle(EVERYTHING, { minify: true });
});

test("what a program does not import is not in it", async () => {
  const small = sizeOf(await bundle(ONE_FUNCTION, { minify: true }));
  assert.ok(small.gzipped < 2000);
  assert.ok(small.gzipped < small.minified);
});

test("a bundle has no import left: the library has no dependencies", () => {
  assert.doesNotMatch(everything, /\bimport\b\s*[{"*]/);
});

test("the parts are all of it, and none is named twice", async () => {
  const parts = await partsOf(EVERYTHING);
  const total = parts.reduce((sum, { minified }) => sum + minified, 0);
  const { minified } = sizeOf(everything);
  assert.ok(Math.abs(total - minified) < minified / 50, `${total} of ${minified}`);
  assert.equal(new Set(parts.map(({ name }) => name)).size, parts.length);
  for (const name of ["memalloc", "mm", "heap.ts"]) assert.ok(parts.some((part) => part.name === name));
});

test("more than the limit is a problem; so is far less, which says the limit to set", () => {
  const [budget] = BUDGETS;
  const { limit } = budget;
  assert.match(problemOf(budget, limit + 1) ?? "", /larger than its limit/);
  assert.equal(problemOf(budget, limit), undefined);
  assert.match(problemOf(budget, 1000) ?? "", /lower that to 1020 /);
});
