// What tools/layers accepts and refuses.

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkGlobals } from "../../tools/layers/globals.ts";
import { checkImports } from "../../tools/layers/imports.ts";

function imports(path: string, specifier: string): string[] {
  const text = `/** doc */\nimport type {\n  A,\n} from "${specifier}";\n`;
  return checkImports({ path, text }).map(({ line, message }) => `${line} ${message}`);
}

function globals(path: string, text: string): string[] {
  return checkGlobals({ path, text }).map(({ line, message }) => `${line} ${message}`);
}

test("imports that follow the layers", () => {
  const good = [
    ["src/sync/llist.ts", "#primitive"],
    ["src/sync/llist.ts", "./layout.ts"],
    ["src/arena/a.ts", "../sync/index.ts"],
    ["src/mm/a.ts", "../cpu/layout.ts"],
    ["src/memalloc/a.ts", "../mm/index.ts"],
    ["src/inspect/a.ts", "../memalloc/layout.ts"],
    ["src/heap.ts", "./mm/index.ts"],
    ["src/index.ts", "./heap.ts"],
    ["src/cli/main.ts", "../index.ts"],
    ["src/cli/main.ts", "node:fs"],
    ["src/cli/commands/a.ts", "../../inspect/index.ts"],
    ["src/cli/commands/a.ts", "../main.ts"],
  ];
  for (const [path, specifier] of good) assert.deepEqual(imports(path ?? "", specifier ?? ""), []);
});

test("imports that do not", () => {
  const bad: [string, string, RegExp][] = [
    [
      "src/sync/a.ts",
      "../arena/index.ts",
      /^4 src\/sync may use no other layer; src\/arena\/index.ts is above/,
    ],
    ["src/cpu/a.ts", "../mm/layout.ts", /src\/cpu may use sync, arena;/],
    ["src/mm/a.ts", "../heap.ts", /above it/],
    ["src/mm/a.ts", "../cpu/cpu.ts", /cpu\.ts is private to its layer/],
    ["src/heap.ts", "./cpu/cpu.ts", /private/],
    ["src/heap.ts", "./cli/main.ts", /nothing may import src\/cli/],
    ["src/cpu/a.ts", "../sync/primitive.ts", /"#primitive"/],
    ["src/cpu/a.ts", "node:os", /only src\/cli may import "node:os"/],
    ["src/cpu/a.ts", "#src/mm/index.js", /use a relative path/],
    ["src/new/a.ts", "../sync/index.ts", /no layer that this check knows/],
    ["src/cli/a.ts", "../cpu/index.ts", /src\/cli may import only/],
    ["src/cli/a.ts", "#primitive", /src\/cli may import node:/],
  ];
  for (const [path, specifier, message] of bad) assert.match(imports(path, specifier)[0] ?? "none", message);
});

test("every form of import counts", () => {
  const forms = [
    'import "../mm/index.ts";',
    'import * as a from "../mm/index.ts";',
    'export { a } from "../mm/index.ts";',
    'export * from "../mm/index.ts";',
    'type A = import("../mm/index.ts").A;',
    'const a = await import("../mm/index.ts");',
  ];
  for (const text of forms) assert.equal(checkImports({ path: "src/sync/a.ts", text }).length, 1, text);
  const noForms = 'const from = 1;\n// import "../mm/index.ts"\nexport const a = "x from y";\n';
  assert.deepEqual(checkImports({ path: "src/sync/a.ts", text: noForms }), []);
});

test("memory is touched through the primitives only", () => {
  const bad = ["f(Atomics.load);", "new Int32Array(buffer);", "new DataView(b, 0);", "new Uint8Array(4, 0);"];
  for (const text of bad) {
    assert.equal(globals("src/mm/a.ts", `type T = Int32Array;\n${text}`).length, 1, text);
    assert.equal(globals("src/heap.ts", text).length, 1, text);
    for (const path of ["src/sync/primitive.ts", "src/arena/views.ts", "src/cli/a.ts"]) {
      assert.deepEqual(globals(path, text), []);
    }
  }
  const good = [
    "new Int32Array(4);",
    "new Int32Array(COUNT);",
    "new Int32Array([1]);",
    "a.Atomics;",
    "// Atomics",
  ];
  for (const text of good) assert.deepEqual(globals("src/mm/a.ts", text), [], text);
});

test("the core knows no time, chance, host or state", () => {
  const bad = [
    "f(Date.now());",
    "performance.now();",
    "f(Math.random());",
    "setTimeout(f);",
    "process.exit();",
    "navigator.x;",
    "new TextDecoder();",
    "let a = 1;",
    "export let a = 1;",
    "var a;",
  ];
  for (const text of bad) {
    assert.match(globals("src/mm/a.ts", `\n${text}`)[0] ?? "none", /^2 /, text);
    assert.deepEqual(globals("src/cli/a.ts", text), []);
    assert.deepEqual(globals("src/host.ts", text), []);
  }
  const good = [
    "const a = 1;",
    "function f() { let b = 1; }",
    "a.process;",
    "Math.max(1);",
    "f({ Date: 1 });",
  ];
  for (const text of good) assert.deepEqual(globals("src/mm/a.ts", text), [], text);
});
