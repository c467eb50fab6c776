/** Random frees and readers on three CPUs, against the model of when memory may be used again. */
import { describe, test } from "node:test";
import fc from "fast-check";
import { MIB } from "./heaps.ts";
import { type RcuCommand, RcuModel, rcuCommands } from "./rcu-model.ts";

function runAll(model: RcuModel, list: readonly RcuCommand[]): void {
  for (const command of list) model.run(command);
  model.finish();
}

/** A reclaim filled the list, and a refill came on top of that. */
const REFILLED_TWICE: readonly RcuCommand[] = [
  { kind: "lock", cpu: 0 },
  { kind: "alloc", cpu: 2, pool: 2, size: 500, count: 11 },
  { kind: "alloc", cpu: 0, pool: 0, size: 500, count: 1 },
  { kind: "freeRcu", cpu: 1, pick: 0, count: 7, nmi: false },
  { kind: "alloc", cpu: 0, pool: 2, size: 500, count: 39 },
  { kind: "freeRcu", cpu: 0, pick: 0, count: 40, nmi: false },
  { kind: "alloc", cpu: 0, pool: 2, size: 1, count: 12 },
  { kind: "freeRcu", cpu: 2, pick: 0, count: 7, nmi: false },
  { kind: "alloc", cpu: 2, pool: 0, size: 500, count: 16 },
  { kind: "freeRcu", cpu: 0, pick: 0, count: 1, nmi: false },
  { kind: "free", cpu: 1, pick: 0, count: 6, nmi: false },
  { kind: "unlock", cpu: 0 },
  { kind: "alloc", cpu: 2, pool: 2, size: 1, count: 19 },
  { kind: "alloc", cpu: 0, pool: 0, size: 1, count: 1 },
];

for (const traceImpliesRcu of [true, false]) {
  describe(`traceImpliesRcu ${traceImpliesRcu}`, () => {
    test("bursts in a small heap: nothing is used again too early, and all of it in the end", () => {
      fc.assert(
        fc.property(rcuCommands(60, 40), (list) =>
          runAll(new RcuModel(MIB / 2, traceImpliesRcu, false), list),
        ),
        { numRuns: 40, examples: [[[...REFILLED_TWICE]]] },
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
