/** P8: alloc and free make no garbage. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const CHILD = fileURLToPath(new URL("./garbage-child.js", import.meta.url));

interface Measured {
  readonly collections: number;
  readonly bytes: number;
  readonly problems: string[];
}

function measure(workload: string): Measured {
  return JSON.parse(execFileSync(process.execPath, ["--expose-gc", CHILD, workload], { encoding: "utf8" }));
}

test("the detector sees garbage where there is some", () => {
  assert.ok(measure("control").collections > 10);
});

const SECTIONS = ["sections", "free-rcu", "free-rcu-readers", "polls"];
for (const workload of ["any", "fixed", "mixed", "moving", "nested", ...SECTIONS]) {
  test(`10 million allocs and frees, ${workload}: no collection, nothing to collect`, () => {
    const { collections, bytes, problems } = measure(workload);
    assert.deepEqual({ collections, problems }, { collections: 0, problems: [] });
    assert.ok(bytes < 2 ** 20, `${bytes} bytes of JavaScript objects`);
  });
}
