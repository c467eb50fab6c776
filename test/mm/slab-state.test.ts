import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MAX_OBJECTS } from "#src/mm/layout.js";
import * as state from "#src/mm/slab-state.js";

test("the three fields of a state word do not disturb each other", () => {
  const count = fc.oneof(fc.integer({ min: 0, max: MAX_OBJECTS }), fc.constantFrom(0, 1, MAX_OBJECTS));
  fc.assert(
    fc.property(count, count, fc.nat(1), (first, inUse, frozen) => {
      const word = state.stateOf(first, inUse, frozen);
      assert.equal(word | 0, word, "it is a 32-bit word");
      assert.deepEqual(
        [state.firstOf(word), state.inUseOf(word), state.isFrozen(word)],
        [first, inUse, frozen === 1],
      );
    }),
  );
});
