import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Roots } from "#src/arena/index.js";
import { throwsCode } from "../support/errors.ts";
import { attachTo, newHeap } from "../support/heaps.ts";
import { assertSound } from "../support/sound.ts";

const value = fc.oneof(fc.constantFrom(0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1), fc.nat(2 ** 32 - 1));
const name = fc.constantFrom("a", "b", "flows", "x".repeat(28), "toString", "__proto__");

test("roots are a map of names, the same for all threads", () => {
  const set = fc.record({ thread: fc.nat(1), name, value });
  fc.assert(
    fc.property(fc.array(set, { maxLength: 30 }), (sets) => {
      const first = newHeap({ bytes: 2 ** 20, maxCpus: 2, maxNames: 16 });
      const threads = [new Roots(first.directory), new Roots(attachTo(first).directory)] as const;
      const model = new Map<string, number>();
      for (const { thread, name, value } of sets) {
        threads[thread as 0 | 1].set(name, value);
        model.set(name, value);
        for (const [known, expected] of model) {
          assert.deepEqual([threads[0].get(known), threads[1].get(known)], [expected, expected]);
        }
      }
      assert.equal(first.directory.count, model.size, "setting a root again takes no new record");
      assertSound(first);
    }),
    { numRuns: 30 },
  );
});

test("a name that was never set is NULL, and asking makes no record", () => {
  const { directory } = newHeap();
  assert.equal(new Roots(directory).get("nobody"), 0);
  assert.equal(directory.count, 0);
});

test("values that are no offsets are refused, and nothing is made or changed", () => {
  const { directory } = newHeap();
  const roots = new Roots(directory);
  roots.set("r", 5);
  for (const bad of [-1, 2 ** 32, 1.5, NaN, Infinity, "5", null, undefined, {}, 2 ** 53]) {
    throwsCode("bad-pointer", () => roots.set("r", bad as number), /"r".*not an offset/);
    throwsCode("bad-pointer", () => roots.set("new", bad as number));
  }
  assert.equal(roots.get("r"), 5);
  assert.equal(directory.count, 1);
});

test("bad names are refused by get and set", () => {
  const roots = new Roots(newHeap().directory);
  for (const bad of ["", "x".repeat(29), "é", 7, undefined]) {
    throwsCode("bad-name", () => roots.set(bad as string, 1));
    throwsCode("bad-name", () => roots.get(bad as string));
  }
});

test("one more than maxNames is a limit that says how to raise it; the others go on", () => {
  const system = newHeap({ maxNames: 16 });
  const roots = new Roots(system.directory);
  for (let i = 0; i < 16; i++) roots.set(`r${i}`, i);
  for (let again = 0; again < 3; again++)
    throwsCode("limit", () => roots.set("r16", 1), /all 16.*raise maxNames/);
  roots.set("r3", 33);
  assert.deepEqual([roots.get("r3"), roots.get("r15"), roots.get("r16")], [33, 15, 0]);
  assertSound(system);
});
