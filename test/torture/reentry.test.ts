/** The short form of `npm run fuzz`, and that it finds what it must. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { plantMutant } from "./rcu/mutants.ts";
import { MAX_DEPTH } from "./reentry/job.ts";
import { fuzz } from "./reentry/run.ts";
import { slabStress } from "./reentry/slab-stress.ts";

const OPERATIONS = 2_000_000;
const SEED = Number(process.env.TORTURE_SEED ?? Math.floor(Math.random() * 2 ** 31));

test("calls from every tracepoint, to depth 4, on two threads: nothing breaks, nothing is lost", async (t) => {
  t.diagnostic(`TORTURE_SEED=${SEED}`);
  const { problems, lost, byDepth, calls } = await fuzz({ operations: OPERATIONS, threads: 2, seed: SEED });
  assert.deepEqual(problems, []);
  assert.equal(lost, 0);
  assert.ok(byDepth[MAX_DEPTH] > 1000, `only ${byDepth[MAX_DEPTH]} operations at depth ${MAX_DEPTH}`);
  for (const [name, count] of Object.entries(calls)) assert.ok(count > 100, `${name}: ${count} calls`);
});

const BUGS = [
  {
    id: "F1",
    what: "a nested alloc goes on although the slab is in the middle of another one",
    file: "mm/slab.js",
    from: "if (!localTryLock(this.words, local + 2))\n            return 0;\n        const object",
    to: "localTryLock(this.words, local + 2);\n        const object",
  },
  {
    id: "F2",
    what: "who freed the last object of a slab gives it back, listed or not",
    file: "mm/slab.js",
    from: "if (inUse === 0)\n                this.lists.sweep(cache, 4, true);",
    to: "if (inUse === 0)\n                this.lists.discard(cache, page);",
  },
];

for (const bug of BUGS) {
  test(`${bug.id} is found: ${bug.what}`, async () => {
    const library = plantMutant(bug);
    let found = "";
    try {
      const { lost, problems } = await fuzz({ operations: OPERATIONS, threads: 2, seed: SEED, library });
      found = lost === 0 ? problems.join() : `${lost} objects lost`;
    } catch (error) {
      found = String(error);
    }
    assert.notEqual(found, "");
  });
}

test("kmallocNolock from inside the slab allocator, round after round: few failures, nothing broken", () => {
  const { errors, failed, calls } = slabStress({ rounds: 50, objects: 1000 });
  assert.deepEqual(errors, []);
  assert.ok(calls > 10_000, `${calls} calls from inside`);
  assert.ok(failed < calls / 100, `${failed} of ${calls} failed`);
});
