/** How often operations touch shared memory: exactly what the committed table says. It needs no quiet machine. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

type Table = Record<string, string>;

const MAIN = fileURLToPath(new URL("main.js", import.meta.url));
const TABLE = fileURLToPath(new URL("../../../../test/bench/accesses/table.json", import.meta.url));
const UPDATE =
  "If that is meant, write the new table:\n" +
  "    npm run build && node --conditions=check build/test/bench/accesses/main.js > test/bench/accesses/table.json";

test("operations access shared memory as often as the table says", () => {
  const counted: Table = JSON.parse(
    execFileSync(process.execPath, ["--conditions=check", MAIN], { encoding: "utf8" }),
  );
  const expected: Table = JSON.parse(readFileSync(TABLE, "utf8"));
  const names = [...new Set([...Object.keys(expected), ...Object.keys(counted)])];
  const changed = names
    .filter((name) => expected[name] !== counted[name])
    .map(
      (name) =>
        `${name}: ${counted[name] ?? "not counted"}; the table has ${expected[name] ?? "no such row"}`,
    );
  assert.deepEqual(changed, [], UPDATE);
});
