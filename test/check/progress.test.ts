/** The oracle "progress": who waits for another CPU is found, who only repeats a step is not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Machine } from "../../check/engine/machine.ts";
import { fetchAdd, loadAcquire } from "../../check/engine/primitive.ts";
import { Bounded } from "../../check/strategies/bounded.ts";
import { Exhaustive } from "../../check/strategies/exhaustive.ts";
import { Pct } from "../../check/strategies/sampling.ts";
import { casUpdate, Litmus, spinLock } from "./litmus.ts";
import { sample, searchAll } from "./searches.ts";

test("a spinlock is found: its holder stands still, and the other one waits for ever", () => {
  for (const searcher of [new Exhaustive(), new Bounded()]) {
    const { violation } = searchAll(spinLock(), searcher, { callSteps: 50 });
    assert.equal(violation?.oracle, "progress");
    assert.match(violation.message, /^CPU [01]: \d\.0 takes more than 50 steps of its own$/);
  }
  assert.equal(sample(spinLock(), new Pct(1, 2)).violation?.oracle, "progress");
});

test("a spinlock whose holder dies is found, though nobody is ever preempted", () => {
  const limits = { callSteps: 50, preemptions: 0 };
  assert.equal(searchAll(spinLock(), new Bounded(), limits).violation, undefined);
  assert.equal(searchAll(spinLock(), new Bounded(), { ...limits, deaths: 1 }).violation?.oracle, "progress");
});

test("a lock-free update repeats itself only as often as the other one succeeds", () => {
  for (const limits of [{}, { deaths: 1 }]) {
    assert.equal(searchAll(casUpdate(), new Exhaustive(), { ...limits, callSteps: 4 }).violation, undefined);
    assert.equal(
      searchAll(casUpdate(), new Exhaustive(), { ...limits, callSteps: 3 }).violation?.oracle,
      "progress",
    );
  }
});

test("the longest call is known, and a nested call's steps are its own", () => {
  const litmus = new Litmus((words) => loadAcquire(words, 1) + loadAcquire(words, 2));
  litmus.nested = [
    {
      name: "nested",
      run: () => [3, 4, 5].reduce((sum, at) => sum + fetchAdd(litmus.words, at, 1), 0),
    },
  ];
  const machine = new Machine(litmus);
  machine.limits = { ...machine.limits, nested: 2 };
  const nestTwice = {
    begin: () => {},
    pick: ({ options, optionCount, decisionCount }: Machine) =>
      options[decisionCount < 2 ? optionCount - 1 : 0],
  };
  assert.equal(
    machine.execute(litmus.program, { begin: () => {}, pick: ({ options }) => options[0] }),
    undefined,
  );
  assert.deepEqual(machine.progress.longest, { name: "0.0", steps: 2 });
  assert.equal(machine.execute(litmus.program, nestTwice), undefined);
  assert.deepEqual(machine.progress.longest, { name: "nested", steps: 3 });
});
