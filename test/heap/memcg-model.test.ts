import { test } from "node:test";
import fc from "fast-check";
import { commands, Model } from "./memcg-model.ts";

test("groups, allocators and threads that come and go, in any order", () => {
  fc.assert(
    fc.property(commands, (list) => {
      const model = new Model();
      for (const command of list) model.run(command);
      model.finish();
    }),
    { numRuns: 60 },
  );
});
