import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Trace } from "#src/cli/trace.js";
import { TraceError } from "#src/cli/trace-error.js";
import { generateTrace, type Operation, operationLine } from "./generate-trace.ts";
import { parse, shapes } from "./shapes.ts";

const VERSION = "# sharedheap allocation trace v1\n";

/** The operations of a trace, written as in a file. */
function linesOf(trace: Trace): string[] {
  return Array.from(trace.operations, (word, index) => {
    const id = word >>> 1;
    const kind: Operation["kind"] = (word & 1) === 0 ? "a" : "f";
    const [slot, size, thread] = [trace.slots[id], trace.sizes[id], trace.threads[index]] as [
      number,
      number,
      number,
    ];
    return operationLine({ kind, slot, size, thread });
  });
}

function rejects(text: string | Uint8Array, line: number, message: RegExp): void {
  assert.throws(
    () => parse(text),
    (error) => {
      assert.ok(error instanceof TraceError, String(error));
      assert.match(error.message, message);
      assert.equal(error.line, line, error.message);
      assert.doesNotMatch(error.message, /\n/);
      return true;
    },
  );
}

test("a small trace, with each allocation under its own id", () => {
  const trace = parse(
    `${VERSION}# threads 2 slots 2 ops 5 allocs 3\na 0 10 0\na 1 20 1\nf 0 1\na 0 5 0\nf 1 1\n`,
  );
  assert.deepEqual([...trace.operations], [0, 2, 1, 4, 3]);
  assert.deepEqual([...trace.threads], [0, 1, 1, 0, 1]);
  assert.deepEqual([...trace.sizes], [10, 20, 5]);
  assert.deepEqual([...trace.slots], [0, 1, 0]);
  assert.equal(trace.threadCount, 2);
  assert.equal(trace.singleThread, false);
  assert.equal(trace.peakBytes, 30);
  assert.equal(trace.peakObjects, 2);
});

test("whatever is optional may be missing", () => {
  assert.deepEqual(linesOf(parse("a 7 1 3\nf 7 3")), ["a 7 1 3", "f 7 3"]);
  assert.equal(parse("a 7 1 3\n").threadCount, 4);
  assert.equal(parse("a 7 1 3\n").singleThread, true);
  assert.equal(parse(`${VERSION}# threads 9 pages 3\n# any remark\n\na 0 0 0\n`).threadCount, 9);
  assert.equal(
    parse("# a recording of mine\na 0 0 0\n# threads of the second part\nf 0 0\n").sizes.length,
    1,
  );
});

test("blanks and line ends of other systems do no harm", () => {
  assert.deepEqual(linesOf(parse("a  1 2   3 \r\n\r\nf 1 0\t\r\n")), ["a 1 2 3", "f 1 0"]);
});

test("the largest numbers", () => {
  const lines = ["a 67108863 4294967295 1023", "f 67108863 0"];
  assert.deepEqual(linesOf(parse(lines.join("\n"))), lines);
});

test("a line that is no operation", () => {
  const bad: [string, RegExp][] = [
    ["x 1 2 3", /unknown operation "x 1 2 3"/],
    ["alloc 1 2 3", /unknown operation "alloc"/],
    ["a", /slot is missing/],
    ["a 1", /size is missing/],
    ["a 1 2", /thread is missing/],
    ["f 1", /thread is missing/],
    ["f 1 2 3", /"3" is too much/],
    ["a 1 2 3 4", /"4" is too much/],
    ["a one 2 3", /slot "one" is not a whole number/],
    ["a 1 2.5 3", /size "2.5" is not a whole number/],
    ["a 1 -2 3", /size "-2" is not a whole number/],
    ["a 1 2 0x3", /thread "0x3" is not a whole number/],
    ["a 1 2 3\u001b[31m", /thread "3\\u001b\[31m" is not a whole number/],
    ["a 67108864 2 3", /slot 67108864 is out of range \(0 to 67108863\)/],
    ["a 1 4294967296 3", /size 4294967296 is out of range/],
    ["a 1 99999999999999999999999999999999 3", /size 9{24}\.\.\. is out of range/],
    ["a 1 2 1024", /thread 1024 is out of range \(0 to 1023\)/],
  ];
  for (const [line, message] of bad) {
    rejects(`${VERSION}a 0 1 0\n${line}\nf 0 0\n`, 3, message);
    rejects(`${line}\n`, 1, new RegExp(`^not an allocation trace: .*${message.source}`));
  }
});

test("an operation that cannot have happened", () => {
  rejects("a 0 1 0\nf 17 0\n", 2, /^free of slot 17, which is not allocated$/);
  rejects("f 17 0\n", 1, /^free of slot 17, which is not allocated$/);
  rejects("a 0 1 0\nf 0 0\nf 0 0\n", 3, /free of slot 0/);
  rejects("a 0 1 0\na 0 1 0\n", 2, /^slot 0 is allocated already$/);
});

test("what contradicts the header", () => {
  const header = `${VERSION}# threads 2 slots 3 ops 3 allocs 2\n`;
  rejects(`${header}a 3 1 0\n`, 3, /slot 3 is beyond the header's 3 slots/);
  rejects(`${header}a 0 1 2\n`, 3, /thread 2 is beyond the header's 2 threads/);
  rejects(`${header}a 0 1 1\na 1 1 1\n`, 4, /truncated: it ends after 2 operations.* promises 3/);
  rejects(`${header}a 0 1 1\nf 0 1\na 1 1 1\nf 1 1\n`, 6, /damaged: it ends after 4 operations.* promises 3/);
  rejects(`${header}a 0 1 1\na 1 1 1\na 2 1 1\n`, 5, /3 allocations.* promises 2/);
  rejects("# threads 1025 slots 1\n", 1, /1025 threads are more than the 1024 supported/);
  rejects("# threads 1 slots many\n", 1, /header's slots is not a whole number/);
});

test("another version, another kind of file, nothing at all", () => {
  rejects("# sharedheap allocation trace v2\na 0 1 0\n", 1, /version "v2", and this program reads "v1"/);
  rejects("#!/bin/sh\necho\n", 2, /unknown operation "echo"/);
  rejects("PK\u0003\u0004 zip", 1, /not an allocation trace: unknown operation "PK\\u0003\\u0004 zip"/);
  rejects(new Uint8Array(200_000).fill(0xff), 1, /not an allocation trace/);
  rejects("", 1, /holds no operations/);
  rejects(VERSION, 1, /holds no operations/);
});

test("generated traces come back as they were, however the bytes arrive", () => {
  fc.assert(
    fc.property(shapes, fc.integer({ min: 1, max: 400 }), (shape, chunk) => {
      const { operations, text } = generateTrace(shape);
      const trace = parse(text, chunk);
      assert.deepEqual(linesOf(trace), operations.map(operationLine));
      assert.equal(trace.threadCount, shape.threads);
    }),
  );
});

test("any bytes give a trace or a TraceError", () => {
  const alphabet = fc.constantFrom(..."af# 0123456789\n\r\t-.xv");
  fc.assert(
    fc.property(fc.string({ unit: alphabet, maxLength: 60 }), (text) => {
      try {
        assert.ok(parse(text).operations.length > 0);
      } catch (error) {
        assert.ok(error instanceof TraceError, String(error));
        assert.ok(error.line >= 1);
      }
    }),
    { numRuns: 2000 },
  );
});
