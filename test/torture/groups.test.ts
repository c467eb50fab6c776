/** The short form of `npm run torture -- --groups`, and that it finds what it must. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseOptions } from "./groups/arguments.ts";
import { Control, newControl } from "./groups/control.ts";
import { chargeOf } from "./groups/kinds.ts";
import { MUTANTS, plantMutant } from "./groups/mutants.ts";
import { run } from "./groups/run.ts";
import { UsageError } from "./rcu/arguments.ts";
import { BUILT } from "./rcu/library.ts";

const SECONDS = 3;
const THREADS = 4;
/** Most are found at the first rest; these take up to half a minute. */
const MUTANT_SECONDS = 60;
const SLOW = ["A2", "A3", "A4", "A6", "A9"];
const SEED = Number(process.env.TORTURE_SEED ?? Math.floor(Math.random() * 2 ** 31));

test("groups made, filled and dropped: every sum is right, nothing is refused where there is room", async (t) => {
  t.diagnostic(`TORTURE_SEED=${SEED}`);
  const options = {
    seconds: SECONDS,
    maxSeconds: 10 * SECONDS,
    threads: THREADS,
    seed: SEED,
    library: BUILT,
  };
  const { failures, rests } = await run(options);
  assert.deepEqual(failures, []);
  assert.ok(rests > 0);
});

for (const mutant of MUTANTS) {
  test(`${mutant.id} is found: ${mutant.what}`, async (t) => {
    const library = plantMutant(mutant);
    if (SLOW.includes(mutant.id)) return t.skip("takes longer: npm run torture -- --groups --mutants");
    const options = { seconds: MUTANT_SECONDS, threads: THREADS, seed: SEED, library };
    const { seconds, failures } = await run(options);
    assert.notEqual(failures.length, 0);
    t.diagnostic(`after ${seconds.toFixed(1)} s: ${failures[0].split("\n")[0]}`);
  });
}

test("an allocator that is being opened is not called in, and once it is, not opened", () => {
  const control = new Control(newControl(2));
  const letter = { p: 64, owner: 1, place: 3, serial: 7, shape: 0 };
  assert.equal(control.open(letter), false);
  control.lend(1, 3, 7);
  assert.equal(control.open({ ...letter, serial: 6 }), false);
  assert.equal(control.open(letter), true);
  assert.equal(control.callIn(1, 3, 7), false);
  control.opened(letter);
  assert.equal(control.callIn(1, 3, 7), true);
  assert.equal(control.open(letter), false);
  assert.equal(control.send(0, letter), true);
  assert.deepEqual(control.receive(0, 5), letter);
  assert.equal(control.receive(0, 5), undefined);
});

test("what objects are charged, by the documents", () => {
  const charge = (kind: "any" | "fixed" | "percpu", bytes: number) =>
    chargeOf({ kind, size: bytes, isUnderRoot: true }, bytes, 5);
  assert.deepEqual([charge("fixed", 8), charge("fixed", 100), charge("fixed", 4000)], [16, 128, 4096]);
  assert.deepEqual([charge("any", 8), charge("any", 120), charge("any", 4088)], [16, 128, 4096]);
  assert.deepEqual([charge("percpu", 8), charge("percpu", 60), charge("percpu", 500)], [80, 640, 2560]);
});

test("wrong options are told", () => {
  const wrong = (...argv: string[]) => assert.throws(() => parseOptions(argv, 1), UsageError);
  wrong("--seconds", "0");
  wrong("--threads", "1");
  wrong("--mutant", "M0");
  wrong("--fast");
  assert.equal(parseOptions(["--help"], 1), undefined);
  assert.deepEqual(
    parseOptions(["--seconds", "5", "--mutant", "T1"], 1)?.mutants.map(({ id }) => id),
    ["T1"],
  );
});
