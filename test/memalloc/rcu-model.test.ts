/** Random frees and readers on three CPUs, against the model of when memory may be used again. */
import { describe, test } from "node:test";
import fc from "fast-check";
import { MIB } from "./heaps.ts";
import { type RcuCommand, RcuModel, rcuCommands } from "./rcu-model.ts";

function runAll(model: RcuModel, list: readonly RcuCommand[]): void {
  for (const command of list) model.run(command);
  model.finish();
}

for (const traceImpliesRcu of [true, false]) {
  describe(`traceImpliesRcu ${traceImpliesRcu}`, () => {
    test("bursts in a small heap: nothing is used again too early, and all of it in the end", () => {
      fc.assert(
        fc.property(rcuCommands(60, 40), (list) =>
          runAll(new RcuModel(MIB / 2, traceImpliesRcu, false), list),
        ),
        { numRuns: 40 },
      );
    });

    test("single calls, with every invariant checked after each", () => {
      fc.assert(
        fc.property(rcuCommands(3, 60), (list) => runAll(new RcuModel(MIB / 2, traceImpliesRcu, true), list)),
        { numRuns: 40 },
      );
    });
  });
}
