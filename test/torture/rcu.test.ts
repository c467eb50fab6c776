/** The short form of `npm run torture`, and that it finds what it must. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCommand, UsageError } from "./rcu/arguments.ts";
import { COUNTERS, Tally, Totals } from "./rcu/counters.ts";
import { BUILT } from "./rcu/library.ts";
import { Memory } from "./rcu/memory.ts";
import { MUTANTS, plantMutant } from "./rcu/mutants.ts";
import { run } from "./rcu/run.ts";

const SECONDS = 3;
/** Most are found within one or two; these two take up to half a minute. */
const MUTANT_SECONDS = 60;
const SLOW = ["M16", "M35"];
const SEED = Number(process.env.TORTURE_SEED ?? Math.floor(Math.random() * 2 ** 31));

for (const traceImpliesRcu of [true, false]) {
  test(`traceImpliesRcu ${traceImpliesRcu}: nothing is reused early, nothing is lost`, async (t) => {
    t.diagnostic(`TORTURE_SEED=${SEED}`);
    const options = { seconds: SECONDS, maxSeconds: 10 * SECONDS, threads: 4, seed: SEED };
    const { failures } = await run({ ...options, traceImpliesRcu, library: BUILT });
    assert.deepEqual(failures, []);
  });
}

for (const mutant of MUTANTS) {
  test(`${mutant.id} is found: ${mutant.what}`, async (t) => {
    const library = plantMutant(mutant);
    if (SLOW.includes(mutant.id)) return t.skip("takes longer: npm run torture -- --mutants");
    const { traceImpliesRcu = true } = mutant;
    const { seconds, failures } = await run({
      seconds: MUTANT_SECONDS,
      threads: 4,
      seed: SEED,
      traceImpliesRcu,
      library,
    });
    assert.notEqual(failures.length, 0);
    t.diagnostic(`after ${seconds.toFixed(1)} s: ${failures[0].split("\n")[0]}`);
  });
}

test("memory is compared by minutes in long runs, by thirds in short ones", () => {
  const note = (seconds: number, pages: (second: number) => number) => {
    const memory = new Memory();
    for (let at = 0; at < seconds; at += 0.5) memory.note(at, pages(at));
    return memory.report();
  };
  assert.equal(note(240, () => 7).ratio, 1);
  const { early, late, ratio, isJudged } = note(240, (second) => second);
  assert.deepEqual([early.most, late.most, isJudged], [119.5, 239.5, true]);
  assert.equal(ratio, 210 / 90);
  const short = note(30, (second) => second);
  assert.deepEqual([short.early.most, short.late.most, short.isJudged], [19.5, 29.5, false]);
});

test("counters are added up beyond 32 bits", () => {
  const words = new Int32Array(new SharedArrayBuffer(COUNTERS.length * 4));
  const totals = new Totals({ words, bases: [0] });
  const tally = new Tally(words, 0);
  for (let i = 0; i < 6; i++) {
    tally.add("reads", 2 ** 30);
    totals.look();
  }
  assert.equal(totals.look().reads, 6 * 2 ** 30);
});

test("wrong options are told", () => {
  const wrong = (...argv: string[]) => assert.throws(() => parseCommand(argv, 1), UsageError);
  wrong("--seconds", "0");
  wrong("--threads", "1");
  wrong("--seed", "x");
  wrong("--mutant", "M0");
  wrong("--fast");
  const command = parseCommand(["--seconds", "5", "--mutant", "M16"], 1);
  assert.equal(command.kind, "run");
  assert.equal(command.kind === "run" && command.options.traceImpliesRcu, false);
});
