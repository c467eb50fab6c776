/** Runs some programs of the llist scenario by two searches, prints whether they end in the same states. Needs the condition "check". */
import { fileURLToPath } from "node:url";
import { Machine } from "../../check/engine/machine.ts";
import { loadLibrary } from "../../check/library.ts";
import { Llists } from "../../check/scenarios/llist.ts";
import { allPrograms } from "../../check/scenarios/spec.ts";
import { Bounded } from "../../check/strategies/bounded.ts";
import { Exhaustive } from "../../check/strategies/exhaustive.ts";

const library = await loadLibrary(fileURLToPath(new URL("../../src", import.meta.url)));

function finals(program: number, searcher: Exhaustive | Bounded): { states: string; runs: number } {
  const prepared = new Llists(library);
  const ready = allPrograms(prepared, prepared.alphabet, 2);
  const machine = new Machine(prepared);
  const states = new Set<string>();
  prepared.finish = () => {
    states.add(`${machine.memory.hashA}:${machine.memory.hashB}`);
  };
  for (;;) {
    const violation = machine.execute(ready.program(program), searcher);
    if (violation !== undefined) throw violation;
    if (!machine.sharedGrew && !searcher.next())
      return { states: [...states].sort().join(" "), runs: machine.executions };
    if (machine.sharedGrew) searcher.restart();
  }
}

let fewer = 0;
for (let program = 0; program < 81; program++) {
  const few = finals(program, new Exhaustive());
  const all = finals(program, new Bounded());
  if (few.states !== all.states) throw new Error(`program ${program}: the searches end in different states`);
  if (few.runs < all.runs) fewer++;
}
console.log(`the same final states in 81 programs; fewer schedules in ${fewer}`);
