import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_LIMITS } from "../../check/engine/decisions.ts";
import { Machine } from "../../check/engine/machine.ts";
import { loadAcquire } from "../../check/engine/primitive.ts";
import { report } from "../../check/runner/report.ts";
import { Bounded } from "../../check/strategies/bounded.ts";
import { Exhaustive } from "../../check/strategies/exhaustive.ts";
import { type Deviation, deviationsOf, execute, minimise, Replay } from "../../check/strategies/replay.ts";
import { Pct, Pos } from "../../check/strategies/sampling.ts";
import { aba, casUpdate, type Litmus, lostUpdate, messagePassing, storeBuffering } from "./litmus.ts";
import { sample, searchAll } from "./searches.ts";

const KNOWN: readonly [string, () => Litmus, readonly string[]][] = [
  ["store buffering", storeBuffering, ["0,1 [1,1]", "1,0 [1,1]", "1,1 [1,1]"]],
  ["message passing", () => messagePassing(false), ["0,-1 [42,1]", "0,42 [42,1]"]],
  ["lost update", lostUpdate, ["0,0 [1,0]", "0,1 [2,0]", "1,0 [2,0]"]],
  ["update by CAS", casUpdate, ["0,1 [2,0]", "1,0 [2,0]"]],
];

for (const [name, make, outcomes] of KNOWN) {
  test(`${name}: every strategy finds the outcomes that are possible, and no others`, () => {
    assert.deepEqual(searchAll(make(), new Exhaustive()).outcomes, outcomes);
    assert.deepEqual(searchAll(make(), new Bounded()).outcomes, outcomes);
    assert.deepEqual(sample(make(), new Pct(1, 3)).outcomes, outcomes);
    assert.deepEqual(sample(make(), new Pos(1)).outcomes, outcomes);
  });
}

test("sleep sets and the cache leave out schedules, not outcomes", () => {
  const all = searchAll(casUpdate(), new Bounded());
  const few = searchAll(casUpdate(), new Exhaustive());
  assert.ok(few.executions < all.executions, `${few.executions} of ${all.executions}`);
});

test("a data race is found, by every strategy", () => {
  assert.equal(searchAll(messagePassing(true), new Exhaustive()).violation?.oracle, "race");
  assert.equal(searchAll(messagePassing(true), new Bounded()).violation?.oracle, "race");
  assert.equal(sample(messagePassing(true), new Pos(1)).violation?.oracle, "race");
});

/** The fewest deviations that make the oracle fire. */
function findSmall(machine: Machine, litmus: Litmus, oracle: string): Deviation[] {
  const searcher = new Exhaustive();
  for (;;) {
    const violation = machine.execute(litmus.program, searcher);
    if (violation !== undefined) {
      assert.equal(violation.oracle, oracle);
      return minimise(machine, litmus.program, deviationsOf(machine, litmus.program), oracle);
    }
    if (machine.sharedGrew) searcher.restart();
    else assert.ok(searcher.next(), "not found");
  }
}

test("ABA is found, and its schedule made small and repeatable", () => {
  const litmus = aba();
  const machine = new Machine(litmus);
  const few = findSmall(machine, litmus, "double-owner");
  assert.ok(few.length <= 2, `${few.length} deviations`);
  assert.equal(execute(machine, litmus.program, new Replay(few))?.oracle, "double-owner");
  assert.equal(execute(machine, litmus.program, new Replay([])), undefined, "without them it passes");
});

test("ABA needs a preemption at the right place: none is too few, one suffices", () => {
  for (const [preemptions, oracle] of [
    [0, undefined],
    [1, "double-owner"],
  ] as const) {
    const litmus = aba();
    const machine = new Machine(litmus);
    machine.limits = { ...DEFAULT_LIMITS, preemptions };
    const searcher = new Bounded();
    let found: string | undefined;
    do {
      found = machine.execute(litmus.program, searcher)?.oracle;
      if (machine.sharedGrew) searcher.restart();
    } while (found === undefined && (machine.sharedGrew || searcher.next()));
    assert.equal(found, oracle);
  }
});

test("state outside the heap is noticed", () => {
  let calls = 0;
  const litmus = storeBuffering();
  const [[call]] = litmus.program;
  litmus.program[0][0] = {
    ...call,
    run: (cpu, argument) => {
      calls++;
      return loadAcquire(litmus.words, 8 + calls) + call.run(cpu, argument);
    },
  };
  const { violation } = searchAll(litmus, new Exhaustive());
  assert.equal(violation?.oracle, "divergence");
});

test("a CPU that dies is never resumed, and the other one finishes", () => {
  const litmus = storeBuffering();
  const machine = new Machine(litmus);
  machine.limits = { ...DEFAULT_LIMITS, deaths: 1 };
  const searcher = new Exhaustive();
  const dead = new Set<string>();
  litmus.finish = (() => {
    dead.add(machine.cpus.map((cpu) => cpu.state).join());
  }) as Litmus["finish"];
  do {
    assert.equal(machine.execute(litmus.program, searcher), undefined);
    if (machine.sharedGrew) searcher.restart();
  } while (machine.sharedGrew || searcher.next());
  assert.deepEqual([...dead].sort(), ["1,1", "1,2", "2,1"]);
});

test("the report of a race shows where both accesses are, each in its CPU's column", () => {
  const litmus = messagePassing(true);
  const machine = new Machine(litmus);
  const few = findSmall(machine, litmus, "race");
  const text = report(machine, litmus.program, few);
  const [head, ...lines] = text.slice(text.indexOf("FAIL")).split("\n");
  assert.match(head, /^FAIL {3}race: data race on word \d+: (read|write) by CPU \d/);
  assert.match(lines[0], /^ {7}write at {50}(read|write) at$/);
  assert.match(lines[1], /^ {7}litmus\.[jt]s:\d+ \S+ +litmus\.[jt]s:\d+ \S+$/);
  const [first, second] = lines[1].trim().split(/ {2,}/);
  assert.notEqual(first, second);
  assert.doesNotMatch(lines.join("\n"), /machine|primitive/);
});

test("stacks are taken only while a schedule is recorded", () => {
  const machine = new Machine(messagePassing(true));
  const violation = searchAll(messagePassing(true), new Exhaustive()).violation;
  assert.deepEqual(
    violation?.sites.map(({ stack }) => stack),
    ["", ""],
  );
  assert.equal(machine.races.stacks, undefined);
});
