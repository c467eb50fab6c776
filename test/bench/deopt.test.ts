/**
 * That a warm loop of alloc and free stays compiled. The first slow path, the first free of 0 and
 * the like may each send the optimised code back once: the compiler had bet on never seeing them.
 * The same bet lost again and again means that a program runs in the interpreter now and then for ever.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("churn.js", import.meta.url));
/** Once in code that was entered in the middle of a loop, once in that of the whole function. */
const MAX_AT_ONE_PLACE = 2;
/** Those that the program's allocations run in, and one that must show up. */
const CANARY = "canary";
const OURS = ["alloc", "free", "pairs", "deepStack", CANARY];
const BAILOUT = /reason: ([^)]*)\).*<JSFunction (\S+) .*bytecode offset (\d+)/g;

for (const subject of ["MemAlloc", "MemCache"]) {
  test(`a warm loop over ${subject} is not deoptimised repeatedly`, (context) => {
    const places = deoptimisations(subject);
    assert.ok(
      [...places.keys()].some((place) => place.startsWith(CANARY)),
      "deoptimisations can be seen",
    );
    const total = [...places.values()].reduce((sum, count) => sum + count, 0);
    context.diagnostic(`${subject}: ${total} deoptimisations at ${places.size} places`);
    const repeated = [...places].filter(([, count]) => count > MAX_AT_ONE_PLACE);
    assert.deepEqual(repeated, [], `places that deoptimise more than ${MAX_AT_ONE_PLACE} times`);
  });
}

/** Function, place and reason -> how often its optimised code was given up there. */
function deoptimisations(subject: string): Map<string, number> {
  const args = ["--trace-deopt", PROGRAM, subject];
  const printed = execFileSync(process.execPath, args, { encoding: "utf8", maxBuffer: 2 ** 26 });
  const places = new Map<string, number>();
  for (const [, reason, name, offset] of printed.matchAll(BAILOUT)) {
    if (name === undefined || !OURS.includes(name)) continue;
    const place = `${name} at bytecode offset ${offset}: ${reason}`;
    places.set(place, (places.get(place) ?? 0) + 1);
  }
  return places;
}
