/** Handlers that call the heap from inside every tracepoint, at random. */
import { test } from "node:test";
import fc from "fast-check";
import { Program } from "./reentry.ts";

test("handlers may make any call, to any depth: objects keep their contents, and the books balance", async () => {
  const choices = fc.array(fc.nat(2 ** 20), { minLength: 50, maxLength: 1500, size: "max" });
  await fc.assert(
    fc.asyncProperty(choices, async (numbers) => new Program(numbers).run()),
    { numRuns: 60 },
  );
});
