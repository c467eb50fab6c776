/** Random threads that allocate, free, leave, die and reclaim, against the model of whose objects are whose. */
import { test } from "node:test";
import fc from "fast-check";
import { OwnedModel, ownedCommands } from "./owned-model.ts";

test("each object is freed once, by a free or a reclaim; leaks says whose each is", () => {
  fc.assert(
    fc.property(ownedCommands, (commands) => {
      const model = new OwnedModel();
      for (const command of commands) model.run(command);
      model.finish();
    }),
    { numRuns: 60 },
  );
});
