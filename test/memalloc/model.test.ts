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

/** An allocator for which there was no memory is still going away when the next one of its name is made. */
const OPENED_AGAIN: readonly Command[] = [
  { kind: "alloc", cpu: 0, pool: 4, size: 1, count: 64 },
  { kind: "alloc", cpu: 0, pool: 3, size: 1, count: 87 },
  { kind: "alloc", cpu: 1, pool: 0, size: 1, count: 1 },
  { kind: "nmi", cpu: 0, inside: [{ kind: "free", cpu: 0, pick: 0, count: 3 }] },
  { kind: "alloc", cpu: 0, pool: 0, size: 1, count: 1 },
  { kind: "free", cpu: 0, pick: 0, count: 1 },
];

test("a heap that is too small: NULL, and nothing else", () => {
  fc.assert(
    fc.property(commands(100, 30), (list) => runAll(new Model(MIB, true, false), list)),
    { numRuns: 50, examples: [[[...OPENED_AGAIN]]] },
  );
});
