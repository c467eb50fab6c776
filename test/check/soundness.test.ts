/** What the reductions leave out must not hide anything. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_LIMITS, type Limits } from "../../check/engine/decisions.ts";
import { Machine } from "../../check/engine/machine.ts";
import {
  loadAcquire,
  readPrivate,
  storeRelease,
  writePrivate,
  zeroPrivate,
} from "../../check/engine/primitive.ts";
import { Violation } from "../../check/engine/violation.ts";
import { search } from "../../check/runner/search.ts";
import { Bounded } from "../../check/strategies/bounded.ts";
import { Exhaustive } from "../../check/strategies/exhaustive.ts";
import { deviationsOf, execute, minimise, Replay } from "../../check/strategies/replay.ts";
import { aba, Litmus } from "./litmus.ts";
import { RandomLitmus, type Shape } from "./random-litmus.ts";
import { searchAll } from "./searches.ts";

const FLAG = 1;
const OTHER = 2;
const DATA = 5;

const SHAPES: readonly [string, Partial<Shape>, Partial<Limits>][] = [
  ["3 CPUs", { cpus: 3, words: 3 }, {}],
  ["4 CPUs", { cpus: 4, steps: 2, words: 3 }, {}],
  ["a nested call", { nested: 2 }, { nested: 1 }],
  ["two nested calls", { steps: 2, nested: 2 }, { nested: 2, depth: 2 }],
  ["a death", {}, { deaths: 1 }],
  ["a nested call and a death", { steps: 2, nested: 1 }, { nested: 1, deaths: 1 }],
  ["3 CPUs, a nested call", { cpus: 3, steps: 2, nested: 1 }, { nested: 1 }],
  ["3 CPUs, a death", { cpus: 3, calls: 2, steps: 1 }, { deaths: 1 }],
];

for (const [name, some, limits] of SHAPES) {
  test(`random programs end in the same states, with and without reductions: ${name}`, () => {
    const shape = { cpus: 2, calls: 1, steps: 3, words: 2, nested: 0, plain: false, ...some };
    for (let seed = 1; seed <= 24; seed++) {
      const all = searchAll(new RandomLitmus(seed, shape), new Bounded(), limits);
      const few = searchAll(new RandomLitmus(seed, shape), new Exhaustive(), limits);
      assert.deepEqual(few.outcomes, all.outcomes, `seed ${seed}`);
    }
  });
}

test("random programs race, or do not, with and without reductions", () => {
  let races = 0;
  for (let seed = 1; seed <= 120; seed++) {
    const shape = { cpus: 2 + (seed & 1), calls: 2, steps: 2, words: 2, nested: 0, plain: true };
    const all = searchAll(new RandomLitmus(seed, shape), new Bounded()).violation?.oracle;
    const few = searchAll(new RandomLitmus(seed, shape), new Exhaustive()).violation?.oracle;
    assert.equal(few, all, `seed ${seed}`);
    if (all !== undefined) races++;
  }
  assert.ok(races > 12 && races < 108, `${races} of 120 race`);
});

/** Reads DATA or does not, and forgets which; the other CPU writes it later. */
function forgottenRead(): Litmus {
  return new Litmus(
    (words) => {
      storeRelease(words, FLAG, 1);
      storeRelease(words, FLAG, 1);
      writePrivate(words, DATA, 7);
      return 0;
    },
    [
      (words) => {
        if (loadAcquire(words, FLAG) === 0) readPrivate(words, DATA);
        return 0;
      },
      (words) => loadAcquire(words, FLAG) & 0,
    ],
  );
}

test("a race of an access that left no trace in any state is found", () => {
  assert.equal(searchAll(forgottenRead(), new Bounded()).violation?.oracle, "race");
  assert.equal(searchAll(forgottenRead(), new Exhaustive()).violation?.oracle, "race");
});

test("whichever CPU begins, nobody was preempted", () => {
  const late = new Litmus(
    (words) => {
      storeRelease(words, FLAG, 1);
      return 0;
    },
    (words) => loadAcquire(words, FLAG),
  );
  const { outcomes } = searchAll(late, new Bounded(), { preemptions: 0 });
  assert.deepEqual(outcomes, ["0,0 [1,0]", "0,1 [1,0]"]);
});

test("a schedule can be repeated by a machine that does not know which words are shared", () => {
  const litmus = aba();
  const machine = new Machine(litmus);
  const searcher = new Exhaustive();
  while (machine.execute(litmus.program, searcher) === undefined) {
    if (machine.sharedGrew) searcher.restart();
    else assert.ok(searcher.next());
  }
  const few = minimise(machine, litmus.program, deviationsOf(machine, litmus.program), "double-owner");
  const again = aba();
  const violation = execute(new Machine(again), again.program, new Replay(few));
  assert.equal(violation?.oracle, "double-owner");
});

test("what goes wrong in a nested call is not lost in the finally blocks of the call around it", () => {
  for (const wrong of [
    () => 1,
    (words: Int32Array) => {
      zeroPrivate(words, 60, 8);
      return 0;
    },
    () => {
      throw new Error("no");
    },
  ]) {
    const guarded = (words: Int32Array) => {
      try {
        return loadAcquire(words, OTHER);
      } finally {
        storeRelease(words, FLAG, 1);
        storeRelease(words, OTHER, 1);
      }
    };
    const litmus = new Litmus(guarded, guarded);
    litmus.nested = [
      {
        name: "nested",
        run: () => wrong(litmus.words),
        done: (_cpu, _argument, result) => {
          if (result === 1) throw new Violation("leak", "seen");
        },
      },
    ];
    const machine = new Machine(litmus);
    machine.limits = { ...DEFAULT_LIMITS, nested: 1 };
    // nests at the first step, and switches to the other CPU whenever that can be
    const violation = machine.execute(litmus.program, {
      begin: () => {},
      pick: ({ options, optionCount, decisionCount }) => options[decisionCount === 0 ? 1 : optionCount - 1],
    });
    assert.match(violation?.oracle ?? "", /^(leak|wild-access|exception)$/);
  }
});

test("steps that bring the heap to rest are bounded too", () => {
  const litmus: Litmus & { quiesce?(): void } = new Litmus((words) => loadAcquire(words, FLAG));
  litmus.quiesce = () => {
    while (loadAcquire(litmus.words, FLAG) === 0);
  };
  assert.equal(searchAll(litmus, new Exhaustive()).violation?.oracle, "step-bound");
});

test("a word that orders accesses is found to be shared in the execution that shows it: no race is reported", () => {
  const words = new Int32Array(16);
  const machine = new Machine({
    words,
    cpus: 2,
    nested: [],
    reset() {},
    fingerprint: () => 0,
    finish() {},
  });
  machine.limits = { ...DEFAULT_LIMITS, callSteps: 100 };
  const publish = (flag: number) => ({
    name: "publish",
    run: () => {
      writePrivate(words, DATA, 1);
      storeRelease(words, flag, 1);
      return 0;
    },
  });
  const receive = (flag: number) => ({
    name: "receive",
    run: () => (loadAcquire(words, flag) === 1 ? readPrivate(words, DATA) : 0),
  });
  for (const flag of [FLAG, OTHER]) {
    const program = [[publish(flag)], [receive(flag)]];
    const { violation, exhausted } = search(machine, program, { kind: "exhaustive" }, 1, () => true);
    assert.equal(violation, undefined);
    assert.ok(exhausted);
  }
});
