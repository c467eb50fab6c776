/** Random commands on three CPUs, against the model. */
import { test } from "node:test";
import fc from "fast-check";
import { MIB } from "./heaps.ts";
import { type Command, commands, Model } from "./model.ts";

function runAll(model: Model, list: readonly Command[]): void {
  for (const command of list) model.run(command);
  model.finish();
}

test("bursts on three CPUs: objects keep apart, nothing is lost, all comes back", () => {
  fc.assert(
    fc.property(commands(100, 30), (list) => runAll(new Model(6 * MIB, false, false), list)),
    { numRuns: 50 },
  );
});

test("single calls, with every invariant checked after each", () => {
  fc.assert(
    fc.property(commands(3, 50), (list) => runAll(new Model(2 * MIB, false, true), list)),
    { numRuns: 50 },
  );
});

test("a heap that is too small: NULL, and nothing else", () => {
  fc.assert(
    fc.property(commands(100, 30), (list) => runAll(new Model(MIB, true, false), list)),
    { numRuns: 50 },
  );
});
