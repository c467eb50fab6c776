/** What the tests of the command line share: random shapes of traces, and parsing of text. */
import fc from "fast-check";
import type { Trace } from "#src/cli/trace.js";
import { TraceParser } from "#src/cli/trace-parser.js";
import type { TraceShape } from "./generate-trace.ts";

/** Small traces of all kinds. */
export const shapes: fc.Arbitrary<TraceShape> = fc.record({
  seed: fc.integer(),
  threads: fc.integer({ min: 1, max: 32 }),
  operations: fc.integer({ min: 1, max: 300 }),
  slots: fc.integer({ min: 1, max: 60 }),
  maxSize: fc.constantFrom(1, 64, 5000, 100_000),
  freedElsewhere: fc.constantFrom(0, 0.3, 1),
});

/** Parses text, in chunks of `chunk` bytes. */
export function parse(text: string | Uint8Array, chunk = 1 << 16): Trace {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  const parser = new TraceParser();
  for (let at = 0; at < bytes.length; at += chunk) parser.push(bytes.subarray(at, at + chunk));
  return parser.finish();
}
