/** Memory that is reserved costs nothing until it is used. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const CHILD = fileURLToPath(new URL("./resident-child.js", import.meta.url));
const MEGABYTE = 1e6;

interface Grown {
  created: number;
  used: number;
  filled: number;
}

function grownBy(bytes: number, ...options: string[]): Grown {
  const output = execFileSync(process.execPath, ["--expose-gc", CHILD, String(bytes), ...options], {
    encoding: "utf8",
  });
  const { ok, ...grown } = JSON.parse(output);
  assert.ok(ok);
  return grown;
}

test("a heap of 4 GiB touches less than 5 MB when it is made, and little more when it is used", () => {
  const { created, used, filled } = grownBy(2 ** 32);
  assert.ok(created < 5 * MEGABYTE, `${created} bytes`);
  assert.ok(used < 8 * MEGABYTE, `${used} bytes`);
  assert.ok(filled > 30 * MEGABYTE, `the measure sees memory that is written to: ${filled} bytes`);
});

test("a heap that is touched beforehand takes all of its memory when it is made, and no more when it is used", () => {
  const { created, used, filled } = grownBy(128 * MEGABYTE, "preTouch");
  assert.ok(created > 125 * MEGABYTE, `${created} bytes`);
  assert.ok(used - created < 5 * MEGABYTE, `${used - created} bytes more`);
  assert.ok(filled - created < 10 * MEGABYTE, `${filled - created} bytes more, filled`);
});
