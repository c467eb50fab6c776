/**
 * Prints the table of accesses, as it is now. Needs the condition "check": in dist accesses are no calls any more.
 *
 *     npm run build && node --conditions=check build/test/bench/accesses/main.js > test/bench/accesses/table.json
 */
import { SharedHeap } from "#src/index.js";
import { accessesOf } from "./counting.ts";
import { OPERATIONS } from "./operations.ts";

const rows = OPERATIONS.map(({ name, prepare }) => {
  const heap = SharedHeap.create({ bytes: 4 * 2 ** 20, maxCpus: 2, turns: false });
  return [name, accessesOf(heap.i32, prepare(heap))];
});
process.stdout.write(`${JSON.stringify(Object.fromEntries(rows), null, 2)}\n`);
