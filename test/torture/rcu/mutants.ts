/**
 * Bugs planted in a copy of the library, each of which the torture must find: otherwise its silence means nothing. `from`
 * and `to` are text of the compiled files, with constants inlined. Numbers M as in check/mutants/table.ts; B: bugs that
 * the torture itself has found.
 */
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { plant } from "../../../check/mutants/plant.ts";
import { DIST } from "./library.ts";

export interface Mutant {
  readonly id: string;
  readonly what: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** The heap it shows in. Default true. */
  readonly traceImpliesRcu?: boolean;
}

export const MUTANTS: readonly Mutant[] = [
  {
    id: "M16",
    what: "a tasks-trace grace period is taken to imply an RCU one when it does not",
    file: "memalloc/pipeline.js",
    from: ": (item) => this.callbacks.call(3, item)",
    to: ": chain((first) => this.release(first))",
    traceImpliesRcu: false,
  },
  {
    id: "M18",
    what: "refill hands out objects before their RCU grace period has ended",
    file: "memalloc/pipeline.js",
    from: "{ rcu: true, trace: false, handler: chain((first) => this.adopt(first)",
    to: "{ rcu: false, trace: false, handler: chain((first) => this.adopt(first)",
  },
  {
    id: "M30",
    what: "the RCU period that runs already is taken for the grace period",
    file: "rcu/rcu.js",
    from: "this.seq) + 2 * 2) | 0;",
    to: "this.seq) + 2) | 0;",
  },
  {
    id: "M31",
    what: "tasks trace waits for one phase only",
    file: "rcu/tasks-trace.js",
    from: "const STEPS = 3;",
    to: "const STEPS = 1;",
  },
  {
    id: "M35",
    what: "what was freed with freeRcu goes home at once when the turn ends, or the CPU detaches",
    file: "memalloc/stock.js",
    from: `if (first !== 0)
            this.pipeline.defer(first, this.words[cache + 15]);
    }`,
    to: `if (first !== 0)
            this.pipeline.sendHome(first, this.words[cache + 15]);
    }`,
  },
  {
    id: "B1",
    what: "a barrier takes a closure that is about to run for one that has",
    file: "rcu-api.js",
    from: `try {
            fn();
        }
        finally {
            // last: from here on barriers on other threads take it to have run
            this.ran++;
            this.barriers.ran(this.flavour);
        }`,
    to: "this.ran++; this.barriers.ran(this.flavour); fn();",
  },
];

const PLANTED = fileURLToPath(new URL("../../../torture", import.meta.url));

/** Plants a mutant. Returns the address of the library that has it. Throws if its line is not there exactly once. */
export function plantMutant(mutant: Mutant): string {
  return pathToFileURL(join(plant(mutant, DIST, PLANTED), "index.js")).href;
}
