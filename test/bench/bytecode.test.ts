/**
 * How long the fast paths are in bytecode: it decides whether they are inlined.
 *
 * V8 inlines a function into an optimised caller if it has at most 460 bytes of bytecode
 * (--max-inlined-bytecode-size), and stops when what it has inlined into this caller comes to 920
 * (--max-inlined-bytecode-size-cumulative). A program's loop calls alloc and free, and has functions
 * of its own. Past the edge nothing fails, but each call costs some 3 ns: half of the fast path.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

/** V8's limit for one function. */
const MAX_BYTES = 460;
/** Leaves 220 of V8's 920 for what else a program's loop calls. */
const MAX_BYTES_TOGETHER = 700;

const PROGRAM = fileURLToPath(new URL("compile-fast-paths.js", import.meta.url));

for (const subject of ["MemAlloc", "MemCache"]) {
  test(`alloc and free of ${subject} are short enough to be inlined`, (context) => {
    const alloc = bytecodeBytes(subject, "alloc");
    const free = bytecodeBytes(subject, "free");
    context.diagnostic(`${subject}: alloc ${alloc} + free ${free} = ${alloc + free} bytes of bytecode`);
    assert.ok(alloc <= MAX_BYTES, `alloc has ${alloc} bytes of bytecode, ${MAX_BYTES} are the most`);
    assert.ok(free <= MAX_BYTES, `free has ${free} bytes of bytecode, ${MAX_BYTES} are the most`);
    const both = alloc + free;
    assert.ok(both <= MAX_BYTES_TOGETHER, `together they have ${both}, ${MAX_BYTES_TOGETHER} are the most`);
  });
}

function bytecodeBytes(subject: string, method: string): number {
  const flags = ["--print-bytecode", `--print-bytecode-filter=${method}`];
  const printed = execFileSync(process.execPath, [...flags, PROGRAM, subject], { encoding: "utf8" });
  const heading = new RegExp(`function: ${method} .*\\n(?:.*\\n)*?Bytecode length: (\\d+)`, "g");
  const lengths = [...printed.matchAll(heading)].map((match) => Number(match[1]));
  assert.equal(lengths.length, 1, `one function is called ${method}:\n${printed.slice(0, 2000)}`);
  return lengths[0] ?? 0;
}
