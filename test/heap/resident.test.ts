/** Memory that is reserved costs nothing until it is used. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const CHILD = fileURLToPath(new URL("./resident-child.js", import.meta.url));
const MEGABYTE = 1e6;

test("a heap of 4 GiB touches less than 5 MB when it is made, and little more when it is used", () => {
  const output = execFileSync(process.execPath, ["--expose-gc", CHILD, String(2 ** 32)], {
    encoding: "utf8",
  });
  const { created, used, filled, ok } = JSON.parse(output);
  assert.ok(ok);
  assert.ok(created < 5 * MEGABYTE, `${created} bytes`);
  assert.ok(used < 8 * MEGABYTE, `${used} bytes`);
  assert.ok(filled > 30 * MEGABYTE, `the measure sees memory that is written to: ${filled} bytes`);
});
