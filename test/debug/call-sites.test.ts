/** Where calls come from: stacks of several engines, and the table that all threads share. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { callerIn } from "#src/debug/call-site.js";
import { SITE_MAX_CHARS, SITE_WORDS } from "#src/debug/layout.js";
import { Sites } from "#src/debug/sites.js";
import { debugCpus, debugHeap, MIB, reportOf, says } from "./support.ts";

const V8 = `Error
    at callSite (https://host/lib/debug/call-site.js?v=3:9:21)
    at Sites.here (https://host/lib/debug/sites.js?v=3:20:26)
    at DebugMemCache.free (https://host/lib/debug/mem-cache.js?v=3:30:5)
    at Array.forEach (<anonymous>)
    at Voice.stop (https://host/app/voice.js:12:34)
    at https://host/app/main.js:1:2`;
const GECKO = `callSite@https://host/lib/debug/call-site.js:9:21
here@https://host/lib/debug/sites.js:20:26
free@https://host/lib/malloc.js:30:5
stop@https://host/@scope/app/voice.js:12:34
@https://host/app/main.js:1:2`;
const WINDOWS = `Error
    at callSite (C:\\lib\\debug\\call-site.js:9:21)
    at Sites.here (C:\\lib\\debug\\sites.js:20:26)
    at async Voice.stop (C:\\app\\voice.js:12:34)`;
const BUNDLED = `Error
    at x (https://host/bundle.js:1:10)
    at y (https://host/bundle.js:1:20)
    at new z (https://host/bundle.js:1:30)`;
const WASM = `Error
    at callSite (file:///lib/debug/call-site.js:9:21)
    at free (file:///lib/heap.js:9:21)
    at tree (wasm://wasm/0006b6a2:wasm-function[3]:0x1a2)
    at run (file:///app/main.js:1:2)`;

describe("the caller in a stack", () => {
  test("is the first frame that is not the library's, in every engine's way to write it", () => {
    assert.equal(callerIn(V8), "https://host/app/voice.js:12:34");
    assert.equal(callerIn(GECKO), "https://host/@scope/app/voice.js:12:34");
    assert.equal(callerIn(WINDOWS), "C:\\app\\voice.js:12:34");
    assert.equal(callerIn(WASM), "wasm://wasm/0006b6a2:wasm-function[3]:0x1a2");
  });

  test("is several where the library is in a bundle", () => {
    const frames = [10, 20, 30].map((column) => `https://host/bundle.js:1:${column}`);
    assert.equal(callerIn(BUNDLED), frames.join(" < "));
  });

  test("is nothing where nothing is said; and any text will do", () => {
    for (const stack of ["", "Error", "Error\n    at <anonymous>", "@\n@:\nat ("])
      assert.equal(callerIn(stack), "");
    fc.assert(fc.property(fc.string(), (stack) => typeof callerIn(stack) === "string"));
  });

  test("programs that replace what makes stacks do no harm", () => {
    const { prepareStackTrace, stackTraceLimit } = Error;
    const heap = debugHeap();
    Error.prepareStackTrace = () => [1, 2];
    const p = heap.kmalloc(8);
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = 0;
    heap.kfree(p);
    Error.stackTraceLimit = stackTraceLimit;
    says(
      reportOf("double-free", () => heap.kfree(p)),
      "allocated at an unknown place",
      "freed at an unknown place",
    );
  });
});

describe("the table", () => {
  const text = fc.string({ maxLength: 200 });

  test("gives each text one number, and back what it can hold of it", () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 60 }), (texts) => {
        const sites = new Sites(new Int32Array(SITE_WORDS * 256), 0, 256);
        const numbers = texts.map((each) => sites.numberOf(each));
        texts.forEach((each, i) => {
          assert.equal(numbers[i], sites.numberOf(each));
          if (each === "") assert.equal(numbers[i], 0);
          else if (numbers[i] !== 0) assert.ok(isShownAs(each, sites.text(numbers[i])), each);
        });
        assert.equal(sites.count, new Set(numbers.filter((number) => number !== 0)).size);
      }),
    );
  });

  test("full: no number, and what is there stays", () => {
    const sites = new Sites(new Int32Array(SITE_WORDS * 64), 0, 64);
    const known = new Map<number, string>();
    for (let i = 0; i < 1000; i++) {
      const number = sites.numberOf(`file.js:${i}:1`);
      if (number !== 0) known.set(number, `file.js:${i}:1`);
    }
    assert.equal(known.size, 64);
    for (const [number, place] of known) assert.equal(sites.text(number), place);
    for (const number of [0, -1, 65, 2 ** 31 - 1]) assert.equal(sites.text(number), "an unknown place");
  });

  test("is shared by all threads: the same place has the same number", () => {
    const heaps = debugCpus(3, { bytes: 8 * MIB });
    const before = heaps[0].stats().debug?.sites ?? 0;
    for (let i = 0; i < 30; i++) heaps[2].kfree(heaps[i % 3].kmalloc(8));
    assert.equal((heaps[1].stats().debug?.sites ?? 0) - before, 2);
  });
});

/** A text comes back as far as it has room, from its end, and with "?" for what is no byte. */
function isShownAs(text: string, shown: string): boolean {
  const bytes = text.replace(/[^\0-\xff]/g, "?");
  return bytes.length <= SITE_MAX_CHARS
    ? bytes === shown
    : shown === `...${bytes.slice(3 - SITE_MAX_CHARS)}` && shown.length === SITE_MAX_CHARS;
}
