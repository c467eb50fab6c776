/** The table of mutants fits the sources: a search for ten minutes is no way to find out that it does not. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { MUTANTS } from "../../check/mutants/table.ts";
import { SCENARIOS } from "../../check/scenarios/all.ts";

const SOURCES = new URL("../../src/", import.meta.url);

for (const { id, file, from, to, scenario } of MUTANTS) {
  test(`${id} changes one place in ${file}, and is looked for where there is such a scenario`, () => {
    const text = readFileSync(new URL(file, SOURCES), "utf8");
    assert.equal(text.split(from).length - 1, 1, "places like its `from`");
    assert.notEqual(from, to);
    assert.ok(
      SCENARIOS.some(({ name }) => name === scenario),
      scenario,
    );
  });
}
