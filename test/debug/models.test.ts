/** The models of release mode, over debug heaps: what they promise is the same, and nothing is found that is not there. */
import { describe, test } from "node:test";
import fc from "fast-check";
import { Model as MemcgModel, commands as memcgCommands } from "../heap/memcg-model.ts";
import { Program } from "../heap/reentry.ts";
import { type Command, commands, Model } from "../memalloc/model.ts";
import { type RcuCommand, RcuModel, rcuCommands } from "../memalloc/rcu-model.ts";
import { MIB } from "./support.ts";

function runAll<C>(model: { run(command: C): void; finish(): void }, list: readonly C[]): void {
  for (const command of list) model.run(command);
  model.finish();
}

describe("objects keep apart, nothing is lost, all comes back", () => {
  test("in bursts on three CPUs", () => {
    fc.assert(
      fc.property(commands(60, 20), (list: Command[]) =>
        runAll(new Model(6 * MIB, false, false, true), list),
      ),
      { numRuns: 20 },
    );
  });

  test("with every invariant checked after each call", () => {
    fc.assert(
      fc.property(commands(3, 30), (list: Command[]) => runAll(new Model(2 * MIB, false, true, true), list)),
      { numRuns: 15 },
    );
  });

  test("in a heap that is too small", () => {
    fc.assert(
      fc.property(commands(60, 20), (list: Command[]) => runAll(new Model(MIB, true, false, true), list)),
      { numRuns: 20 },
    );
  });
});

describe("nothing is used again too early, and NULL is final", () => {
  for (const traceImpliesRcu of [true, false])
    test(`traceImpliesRcu ${traceImpliesRcu}`, () => {
      fc.assert(
        fc.property(rcuCommands(40, 30), (list: RcuCommand[]) =>
          runAll(new RcuModel(MIB, traceImpliesRcu, false, true), list),
        ),
        { numRuns: 15 },
      );
    });
});

test("groups are charged with what their allocators hold", () => {
  fc.assert(
    fc.property(memcgCommands, (list) => runAll(new MemcgModel(true), list)),
    { numRuns: 15 },
  );
});

describe("calls from inside every operation", () => {
  const choices = fc.array(fc.nat(2 ** 20), { minLength: 50, maxLength: 250, size: "max" });

  test("at random", async () => {
    await fc.assert(
      fc.asyncProperty(choices, (numbers) => new Program(numbers, { debug: true, bytes: 4 * MIB }).run()),
      { numRuns: 10 },
    );
  });

  test("with faults inside the library, in every mode", async () => {
    const mode = fc.constantFrom("inline" as const, "turn" as const, "kthread" as const);
    await fc.assert(
      fc.asyncProperty(choices, mode, fc.integer({ min: 2, max: 20 }), (numbers, irqWork, every) =>
        new Program(numbers, { debug: true, irqWork }, every).run(),
      ),
      { numRuns: 10 },
    );
  });
});
