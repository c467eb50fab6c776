/** In a steady state no workload of the benchmarks makes garbage where the subject is ours. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { NO_ALLOCATOR } from "../../bench/entries.ts";
import { PEERS } from "../../bench/peers/list.ts";
import { WORKLOADS } from "../../bench/workloads/list.ts";

const CHILD = fileURLToPath(new URL("./garbage-child.js", import.meta.url));
const NOT_OURS = [...PEERS.map(({ name }) => name), NO_ALLOCATOR];

function collectionsOf(workload: string, subject: string): number {
  return Number(
    execFileSync(process.execPath, ["--expose-gc", CHILD, workload, subject], { encoding: "utf8" }),
  );
}

test("the count sees garbage where there is some", () => {
  assert.ok(collectionsOf("lifo100", "V8 object") > 0);
});

for (const { name, contestants } of WORKLOADS)
  for (const subject of contestants.map((each) => each.name).filter((each) => !NOT_OURS.includes(each)))
    test(`${name} on ${subject}: a million operations without a collection`, () => {
      assert.equal(collectionsOf(name, subject), 0);
    });
