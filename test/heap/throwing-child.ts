/** A program whose handlers throw, each once: what it prints is the test. */
import { SharedHeap } from "sharedheap";
import { POINTS } from "../support/points.ts";
import { provoke } from "./points.ts";

process.on("uncaughtException", (error) => console.log(`uncaught: ${error.message}`));

for (const name of POINTS) {
  const heap = SharedHeap.create({ bytes: 4 * 2 ** 20, maxCpus: 2, turns: false });
  const pool = heap.memCache({ name: "fixed", size: 64 });
  let calls = 0;
  heap.tracepoints.on(name, () => {
    if (++calls === 1) throw new RangeError(`thrown in ${name}`);
  });
  provoke(heap, pool);
  if (calls < 2) console.log(`${name} is not called any more`);
}
console.log("end of main");
