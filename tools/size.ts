// Checks how large the library is in a program: bundled, minified and gzipped. More than the limit is a failure; what
// misses the goal is told. docs/design/size.md says what is known about it.

import { BUDGETS, type Budget, EVERYTHING, problemOf } from "./size/budget.ts";
import { bundle, type Size, sizeOf } from "./size/bundle.ts";
import { type Part, partsOf } from "./size/parts.ts";
import { trialsOf } from "./size/tried.ts";

/** Parts that take less are not listed. */
const LISTED_BYTES = 1000;

async function main(): Promise<number> {
  let good = true;
  for (const budget of BUDGETS) {
    const size = sizeOf(await bundle(budget.program, { minify: true }));
    console.log(`size: ${described(budget, size)}`);
    const problem = problemOf(budget, size.gzipped);
    if (problem !== undefined) console.log(`size: ${problem}`);
    good = good && problem === undefined;
  }
  for (const line of table(await partsOf(EVERYTHING))) console.log(line);
  for (const { what, gzipped } of await trialsOf(EVERYTHING))
    console.log(`size: everything ${what}: ${bytes(gzipped)} gzipped`);
  console.log(`size: ${good ? "good" : "there are problems"}`);
  return good ? 0 : 1;
}

function described({ what, goal, limit }: Budget, { minified, gzipped }: Size): string {
  const isMet = gzipped <= goal;
  const verdict = isMet ? "met" : `missed, ${(gzipped / goal).toFixed(1)} times as much`;
  return `${what}: ${bytes(gzipped)} gzipped (${bytes(minified)} minified); goal ${bytes(goal)}: ${verdict}; limit ${bytes(limit)}`;
}

function table(parts: Part[]): string[] {
  const listed = parts.filter(({ minified }) => minified >= LISTED_BYTES);
  const others = parts.filter(({ minified }) => minified < LISTED_BYTES);
  const rest = { name: `${others.length} others`, minified: 0, gzipped: 0 };
  for (const { minified, gzipped } of others) {
    rest.minified += minified;
    rest.gzipped += Math.max(0, gzipped);
  }
  const rows = [...listed, rest].map(({ name, minified, gzipped }) =>
    row(name, bytes(minified), bytes(gzipped)),
  );
  return [row("of everything", "minified", "gzipped"), ...rows];
}

function row(name: string, minified: string, gzipped: string): string {
  return `  ${name.padEnd(20)}${minified.padStart(10)}${gzipped.padStart(10)}`;
}

function bytes(count: number): string {
  return count.toLocaleString("en-US");
}

process.exitCode = await main();
