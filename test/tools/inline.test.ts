// What tools/inline makes of small modules.

import assert from "node:assert/strict";
import { SourceMap } from "node:module";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import { Constants } from "../../tools/inline/constants.ts";
import { inline } from "../../tools/inline/inline.ts";

const MODULES: Record<string, string> = {
  "/a/layout.js": `
    import { WORD as BYTES } from "../b/layout.js";
    const SHIFT = 4;
    export const FREE = 1 << SHIFT;
    export const SIZE = (FREE + 2) * BYTES - -1;
    export const ALL = ~0;
    export const MASK = FREE | 0x3;
    export const TABLE = [1, 2];
    export const LATER = Math.max(1, 2);
    export let MOVING = 1;
    export const lower = 5;
    export { WORD } from "../b/layout.js";
    export * from "../c/layout.js";
  `,
  "/b/layout.js": "const BYTES = 4; export { BYTES as WORD };",
  "/c/layout.js": 'export const DEEP = 7; export * from "../a/layout.js";',
};

function constants(): Constants {
  return new Constants({
    read: (path) => MODULES[path],
    resolve: (specifier, from) => new URL(specifier, `file://${from}`).pathname,
  });
}

function out(code: string): string {
  return inline(code, "/a/code.js", constants()).code;
}

/** The output for a body with the accessors imported, without the import line. */
function body(code: string): string {
  const lines = out(`import { readPrivate, writePrivate, load } from "#primitive";\n${code}`).split("\n");
  return lines.slice(1).join("\n");
}

function layout(names: string, code: string): string {
  return out(`import { ${names} } from "./layout.js";\n${code}`);
}

test("readPrivate becomes an element access", () => {
  assert.equal(body("f(readPrivate(m, i + 1));"), "f(m[i + 1]);");
  assert.equal(body("f(readPrivate(this.m, i));"), "f(this.m[i]);");
  assert.equal(body("f(readPrivate(a.b.m, a.f()));"), "f(a.b.m[a.f()]);");
  assert.equal(
    body("class A { #m; f() { return readPrivate(this.#m, 0); } }"),
    "class A { #m; f() { return this.#m[0]; } }",
  );
});

test("writePrivate becomes an assignment", () => {
  assert.equal(body("writePrivate(m, i, v);"), "m[i] = v;");
  assert.equal(
    body("if (a) writePrivate(m, i, a ? 1 : 2); else writePrivate(m, 0, x => x);"),
    "if (a) m[i] = a ? 1 : 2; else m[0] = x => x;",
  );
});

test("calls nest", () => {
  assert.equal(body("f(readPrivate(m, readPrivate(m, i) + 2));"), "f(m[m[i] + 2]);");
  assert.equal(
    body("writePrivate(m, readPrivate(n, i), g(readPrivate(m, readPrivate(m, 0))));"),
    "m[n[i]] = g(m[m[0]]);",
  );
});

test("parentheses and commas survive", () => {
  assert.equal(body("f(readPrivate(m, (a, b)));"), "f(m[(a, b)]);");
  assert.equal(body("writePrivate(m, i, (a, b));"), "m[i] = (a, b);");
  assert.equal(body("writePrivate(m, i, v,);"), "m[i] = v;");
});

test("no line moves, and return keeps its value", () => {
  assert.equal(body("return_: { f(readPrivate(\n  m,\n  i,\n)); }"), "return_: { f(m[\n\ni]\n); }");
  const code = "function f(m, i) {\n  return readPrivate(\n    m,\n    i\n  );\n}\nf([5, 6], 1);";
  const result = body(code);
  assert.equal(result.split("\n").length, code.split("\n").length);
  assert.equal(runInNewContext(result), 6);
});

test("other uses of an accessor keep its import", () => {
  assert.equal(
    out('import { readPrivate, load } from "#primitive";\nf(readPrivate, readPrivate(m, 0));'),
    'import { readPrivate, load } from "#primitive";\nf(readPrivate, m[0]);',
  );
});

test("only what comes from #primitive is an accessor", () => {
  const code = 'import { readPrivate } from "./mine.js";\nf(readPrivate(m, 0));';
  assert.equal(out(code), code);
  assert.equal(body("a.readPrivate(m, 0);"), "a.readPrivate(m, 0);");
});

test("an accessor may have another name", () => {
  assert.equal(out('import { readPrivate as read } from "#primitive";\nf(read(m, 0));'), "\nf(m[0]);");
});

test("constants become numbers", () => {
  assert.equal(layout("FREE, SIZE, MASK", "f(FREE, SIZE, MASK);"), "\nf(16, 73, 19);");
  assert.equal(layout("WORD, DEEP", "f(WORD, DEEP);"), "\nf(4, 7);");
  assert.equal(layout("FREE as F", "f(F);"), "\nf(16);");
});

test("numbers stay one operand", () => {
  assert.equal(layout("ALL", "f(a -ALL, ALL ** 2);"), "\nf(a -(-1), (-1) ** 2);");
  assert.equal(layout("FREE", "FREE.toString(2);"), "\n(16).toString(2);");
});

test("constants as arguments of accessors", () => {
  assert.equal(
    out(
      'import { readPrivate, writePrivate } from "#primitive";\nimport { FREE } from "./layout.js";\n' +
        "writePrivate(m, p + FREE, readPrivate(m, FREE) | FREE);",
    ),
    "\n\nm[p + 16] = m[16] | 16;",
  );
});

test("what is no numeric constant stays imported", () => {
  const code = "f(TABLE, LATER, MOVING, lower, NONE);";
  const before = `import { TABLE, LATER, MOVING, lower, NONE } from "./layout.js";\n${code}`;
  assert.equal(out(before), before);
  assert.equal(
    layout("TABLE, FREE", "f(TABLE[FREE]);"),
    'import { TABLE } from "./layout.js";\nf(TABLE[16]);',
  );
});

test("constants come from layout.js only", () => {
  const code = 'import { FREE } from "./other.js";\nimport { WORD } from "./my-layout.js";\nf(FREE, WORD);';
  assert.equal(out(code), code);
  assert.equal(out('import { WORD } from "../b/layout.js";\nf(WORD);'), "\nf(4);");
});

test("names that are no variables stay", () => {
  const code = "a.FREE = { FREE: 1, m: class { FREE() {} } };";
  assert.equal(layout("FREE", code), `\n${code}`);
  assert.equal(layout("FREE", "f(a[FREE], { [FREE]: 1 });"), "\nf(a[16], { [16]: 1 });");
  assert.equal(layout("FREE", "f({ x: FREE });"), "\nf({ x: 16 });");
});

test("object shorthand gets a key", () => {
  assert.equal(layout("FREE, ALL", "f({ FREE, ALL });"), "\nf({ FREE: 16, ALL: (-1) });");
  assert.equal(body("f({ load, readPrivate });"), "f({ load, readPrivate });");
});

test("exports keep the import", () => {
  assert.equal(
    layout("FREE, ALL", "export { FREE };\nf(FREE, ALL);"),
    'import { FREE } from "./layout.js";\nexport { FREE };\nf(16, (-1));',
  );
  const reexport = 'export { FREE } from "./layout.js";\nexport * from "../b/layout.js";';
  assert.equal(out(reexport), reexport);
});

test("imports over several lines keep their lines", () => {
  assert.equal(
    out('import {\n  FREE,\n  TABLE,\n} from "./layout.js";\nf(FREE, TABLE);'),
    'import { TABLE } from "./layout.js";\n\n\n\nf(16, TABLE);',
  );
});

test("the map leads back to the same place", () => {
  const code = 'import { readPrivate } from "#primitive";\nf(readPrivate(m, i), g());';
  const result = inline(code, "/a/code.js", constants());
  const map = new SourceMap(JSON.parse(result.map.toString()));
  const entry = map.findEntry(1, result.code.split("\n")[1]?.indexOf("g()") ?? -1);
  assert.ok("originalLine" in entry);
  assert.equal(entry.originalLine, 1);
  assert.equal(entry.originalColumn, code.split("\n")[1]?.indexOf("g()"));
});

test("misuse is an error that names the line", () => {
  const cases: [string, RegExp][] = [
    ["x = writePrivate(m, 0, 1);", /\/a\/code\.js:2: writePrivate.*statement of its own/],
    ["() => writePrivate(m, 0, 1);", /statement of its own/],
    ["f(readPrivate(m));", /takes exactly 2 arguments/],
    ["f(readPrivate(...m));", /takes exactly 2 arguments/],
    ["f(readPrivate(m, ...i));", /none spread/],
    ["writePrivate(m, 0);", /takes exactly 3 arguments/],
    ["f(readPrivate(a[b], 0));", /must be a variable or its member/],
    ["f(readPrivate(g(), 0));", /must be a variable or its member/],
    ["f(readPrivate((m), 0));", /must be a variable or its member/],
    ["f(readPrivate?.(m, 0));", /without "\?\."/],
  ];
  for (const [code, message] of cases) assert.throws(() => body(code), message, code);
});

test("hiding an inlined name is an error", () => {
  const hiding = [
    "function f(FREE) {}",
    "const f = ({ a: [FREE = 1] }) => 0;",
    "{ let FREE = 1; }",
    "const { FREE } = x;",
    "{ class FREE {} }",
    "(function FREE() {});",
    "try {} catch (FREE) {}",
    "for (const [...FREE] of x);",
  ];
  for (const code of hiding) {
    const message = /FREE hides the import/;
    // A second top-level declaration of an import is a syntax error already.
    assert.throws(() => layout("FREE", `function outer() { ${code} }`), message, code);
  }
});
