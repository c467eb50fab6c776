import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as contexts from "#src/cpu/contexts.js";
import { AREA_CONTEXT } from "#src/cpu/layout.js";
import { throwsCode } from "../support/errors.ts";

const { CRITICAL_SHIFT, contextDepth, enterContext, HARDIRQ_SHIFT, inTask, leaveContext, MAX_NESTING } =
  contexts;
const SHIFTS = [contexts.SOFTIRQ_SHIFT, HARDIRQ_SHIFT, contexts.NMI_SHIFT, CRITICAL_SHIFT] as const;
const AREA = 8;

test("the depths of the four kinds are counted apart", () => {
  const step = fc.record({ kind: fc.nat(3), up: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const words = new Int32Array(16);
      const depths = [0, 0, 0, 0];
      for (const { kind, up } of steps) {
        const shift = SHIFTS[kind] as number;
        if (!up && depths[kind] === 0) continue;
        (up ? enterContext : leaveContext)(words, AREA, shift);
        depths[kind] = (depths[kind] as number) + (up ? 1 : -1);
        assert.deepEqual(
          SHIFTS.map((each) => contextDepth(words, AREA, each)),
          depths,
        );
        assert.equal(
          inTask(words, AREA),
          depths.every((depth) => depth === 0),
        );
      }
    }),
  );
});

test("each kind nests to its limit, with all others at theirs", () => {
  const words = new Int32Array(16);
  for (const shift of SHIFTS) {
    for (let depth = 0; depth < MAX_NESTING; depth++) enterContext(words, AREA, shift);
  }
  for (const shift of SHIFTS) {
    throwsCode("limit", () => enterContext(words, AREA, shift), /127 deep/);
    assert.equal(contextDepth(words, AREA, shift), MAX_NESTING);
  }
  for (const shift of SHIFTS) {
    for (let depth = 0; depth < MAX_NESTING; depth++) leaveContext(words, AREA, shift);
  }
  assert.deepEqual([...words], Array(16).fill(0));
  assert.equal(words[AREA + AREA_CONTEXT], 0);
});
