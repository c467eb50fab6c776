import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkName, nameIs, readName, writeName } from "#src/arena/index.js";
import { NAME_MAX_CHARS, NAME_WORDS } from "#src/arena/layout.js";
import { throwsCode } from "../support/errors.ts";

const AT = 5;
const printable = fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code));
const name = fc.string({ unit: printable, minLength: 1, maxLength: NAME_MAX_CHARS });

test("any name of 1 to 28 printable ASCII characters is a name", () => {
  fc.assert(fc.property(name, (text) => assert.equal(checkName(text), text)));
  assert.equal(checkName("x".repeat(28)), "x".repeat(28));
});

test("anything else is a bad-name", () => {
  const bad = ["", "x".repeat(29), "tab\t", "\x7f", "\x1f", "nul\0", "é", "日本", "😀", "a\nb"];
  for (const value of bad) throwsCode("bad-name", () => checkName(value), /28 printable ASCII/);
});

test("what is no string at all is a bad-name", () => {
  const odd = [undefined, null, 0, 12, NaN, true, {}, [], ["a"], Symbol("a"), () => "a", new String("a")];
  for (const value of odd) throwsCode("bad-name", () => checkName(value));
});

test("what cannot even be printed as JSON is a bad-name too", () => {
  const circular: { self?: object } = {};
  circular.self = circular;
  for (const value of [10n, circular]) throwsCode("bad-name", () => checkName(value));
});

test("a name is read as it was written, whatever was there before, and touches no word around it", () => {
  fc.assert(
    fc.property(name, fc.int32Array({ minLength: 24, maxLength: 24 }), (text, words) => {
      const before = words.slice();
      writeName(words, AT, text);
      assert.equal(readName(words, AT), text);
      words.set(before.subarray(AT, AT + NAME_WORDS), AT);
      assert.deepEqual(words, before);
    }),
  );
});

test("nameIs is equality", () => {
  const near = fc
    .tuple(name, name)
    .chain(([a, b]) => fc.constantFrom([a, a], [a, b], [a, `${a}x`], [`${a}x`, a]));
  fc.assert(
    fc.property(near, ([written, asked]) => {
      const words = new Int32Array(16);
      writeName(words, AT, written.slice(0, NAME_MAX_CHARS));
      assert.equal(nameIs(words, AT, asked), asked === written.slice(0, NAME_MAX_CHARS));
    }),
  );
});

test("the empty name of a CPU without one is read as empty", () => {
  const words = new Int32Array(16).fill(-1);
  writeName(words, AT, "");
  assert.equal(readName(words, AT), "");
});

test("damaged words give some text of at most 28 characters", () => {
  fc.assert(
    fc.property(fc.int32Array({ minLength: NAME_WORDS, maxLength: NAME_WORDS }), (words) => {
      assert.ok(readName(words, 0).length <= NAME_MAX_CHARS);
    }),
  );
});
