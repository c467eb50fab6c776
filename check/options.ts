/** The command line of `npm run check`. */
import { parseArgs } from "node:util";
import { MUTANTS } from "./mutants/table.ts";
import { SCENARIOS } from "./scenarios/all.ts";

export const HELP = `npm run check -- [options]     runs the model checker over the compiled sources

  --scenario NAME   only this scenario (may be repeated), and no mutants
  --mutant ID       only this mutant (may be repeated)
  --packed          on the packed library, as people install it; no mutants
  --deep            also the scenarios that take long
  --replay TOKEN    shows the schedule that a failure's report names
  --again FILE      searches the program of an earlier finding once more (may be repeated)
  --found FOLDER    where findings are written; default check/found
  --root FOLDER     other compiled sources than build/src; findings are written only with --found
  --threads N       default 2
  --json            one object on standard output
  --list            names of scenarios and mutants
  --help

Exit code 1 if a scenario fails or a mutant survives, 2 for wrong options.`;

export type Values = ReturnType<typeof parse>;

/** The options; undefined, with a line that says why, if they are wrong. */
export function readOptions(): Values | undefined {
  try {
    const values = parse();
    const scenarios = SCENARIOS.map(({ name }) => name);
    const mutants = MUTANTS.map(({ id }) => id);
    for (const name of values.scenario ?? []) known("scenario", name, scenarios);
    for (const id of values.mutant ?? []) known("mutant", id, mutants);
    if (Number(values.threads) >= 1) return values;
    throw new Error(`--threads ${values.threads}: use a number of 1 or more`);
  } catch (error) {
    console.error(`check: ${(error as Error).message} (see npm run check -- --help)`);
    return undefined;
  }
}

function parse() {
  const { values } = parseArgs({
    options: {
      scenario: { type: "string", multiple: true },
      mutant: { type: "string", multiple: true },
      deep: { type: "boolean" },
      packed: { type: "boolean" },
      replay: { type: "string" },
      again: { type: "string", multiple: true },
      found: { type: "string" },
      root: { type: "string" },
      threads: { type: "string", default: "2" },
      json: { type: "boolean" },
      list: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  return values;
}

function known(what: string, name: string, names: readonly string[]): void {
  if (!names.includes(name)) throw new Error(`there is no ${what} "${name}"; there are ${names.join(", ")}`);
}
