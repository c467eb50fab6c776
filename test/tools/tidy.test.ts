// What tools/tidy accepts and refuses.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Problem, parseSource } from "../../tools/lib/source.ts";
import { checkFolders } from "../../tools/tidy/folders.ts";
import { describeLengths, functionsOf } from "../../tools/tidy/functions.ts";
import { checkShape } from "../../tools/tidy/shape.ts";
import { checkText } from "../../tools/tidy/text.ts";

function shape(path: string, text: string): Problem[] {
  return checkShape(path, parseSource({ path, text }));
}

function functions(text: string): ReturnType<typeof functionsOf> {
  return functionsOf("src/a.ts", parseSource({ path: "src/a.ts", text }));
}

test("functions have at most 60 lines", () => {
  const ofLines = (lines: number): string => `function f(): void {\n${"g();\n".repeat(lines - 2)}}`;
  assert.deepEqual(functions(ofLines(60)), { lengths: [60], tooLong: [] });
  assert.match(functions(`\n${ofLines(61)}`).tooLong[0]?.message ?? "none", /a function of 61 lines/);
  assert.equal(functions(`\n${ofLines(61)}`).tooLong[0]?.line, 2);
  assert.deepEqual(functions(`describe("x", () => {\n${"\n".repeat(70)}});`).tooLong, []);
});

test("the lengths are summed up", () => {
  assert.equal(describeLengths([]), "no functions");
  assert.equal(describeLengths([9, 1, 3]), "3 functions of 3 lines (median), 9 (90%), 9 (longest)");
});

test("file names, default exports, index files", () => {
  for (const path of ["src/a-b2.ts", "test/a.test.ts", "tools/a.d.ts"])
    assert.deepEqual(shape(path, "f();"), []);
  for (const path of ["src/aB.ts", "src/a_b.ts", "src/A.ts"]) assert.equal(shape(path, "f();").length, 1);
  assert.match(shape("src/a.ts", "export default 1;")[0]?.message ?? "none", /by name/);
  const forwarding =
    'import { a } from "./a.ts";\nexport { a };\nexport * from "./b.ts";\nexport type { C } from "./c.ts";';
  assert.deepEqual(shape("src/mm/index.ts", forwarding), []);
  assert.equal(shape("src/mm/index.ts", "export const a = 1;").length, 1);
});

test("long lines, long files and leftovers", () => {
  const messages = (path: string, text: string): string[] => checkText({ path, text }).map((p) => p.message);
  assert.deepEqual(messages("src/a.ts", `${"a".repeat(140)}\n`), []);
  assert.match(messages("src/a.ts", "a".repeat(141))[0] ?? "none", /141 columns/);
  assert.deepEqual(messages("docs/a.md", "a".repeat(500)), []);
  assert.deepEqual(messages("src/a.ts", "a\n".repeat(400)), []);
  assert.match(messages("src/a.ts", "a\n".repeat(401))[0] ?? "none", /401 lines/);
  assert.match(messages("docs/a.md", `${"TO"}DO later`)[0] ?? "none", /do it/);
  assert.match(messages("docs/a.md", "see /tmp/x")[0] ?? "none", /path of one machine/);
  assert.deepEqual(messages("tools/a.ts", "see /tmp/x"), []);
});

test("a sum that is read before a wait forgets what others add meanwhile", () => {
  const messages = (line: string): number => checkText({ path: "src/a.ts", text: line }).length;
  assert.equal(messages(`  this.sum ${"+"}= await count();`), 1);
  assert.equal(messages(`  sum ${"-"}= (await count()).length;`), 1);
  assert.equal(messages("  const count = await next();"), 0);
  assert.equal(messages("  const isSame = one === (await other());"), 0);
});

test("folders of src have what they need", () => {
  const missing = checkFolders([
    "src/index.ts",
    "src/sync/index.ts",
    "src/sync/layout.ts",
    "src/cli/deep/a.ts",
  ]);
  const paths = missing.map(({ path }) => path);
  assert.ok(paths.includes("src/sync/README.md"));
  assert.ok(paths.includes("src/cli/deep/README.md"));
  assert.ok(paths.includes("src/mm/layout.ts"));
  assert.ok(!paths.includes("src/sync/layout.ts"));
  assert.ok(!paths.includes("src/inspect/layout.ts"));
  assert.ok(!paths.includes("src/README.md"));
});
