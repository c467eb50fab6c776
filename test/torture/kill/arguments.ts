/** The command line, checked. */
import { parseArgs } from "node:util";
import { integer, UsageError } from "../rcu/arguments.ts";
import { MUTANTS, type Mutant } from "./mutants.ts";
import { JUDGED_DEATHS } from "./verdict.ts";

export interface Options {
  readonly deaths: number;
  readonly seed: number;
  readonly json: boolean;
  /** To be found in a library that has it. */
  readonly mutant: Mutant | undefined;
}

const MAX_DEATHS = 100_000;

export const HELP = `usage: npm run torture -- --kill N [options]

N threads in a row, a few at a time, are started on a heap and ended at some moment, whatever they are doing, while others
go on. Checks that these never stop, see an error or a NULL, that nobody writes to what is not his, that no CPU is lost,
and that in the end every object is accounted for. As many threads die on another heap, by turns, to compare how
long the survivors' calls take.

  --kill N       1 to ${MAX_DEATHS}; from ${JUDGED_DEATHS} on the survivors' latency is judged too
  --seed N       chooses what the threads do, and when they die; default: by chance. Threads cannot be repeated exactly
  --mutant ID    with that bug planted in a copy of the library: must fail (${MUTANTS.map(({ id }) => id).join(", ")})
  --json         one object on standard output
  --help         print this

Exit code 1 if something is wrong, 2 for wrong options.
`;

const OPTIONS = {
  kill: { type: "string" },
  seed: { type: "string" },
  mutant: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/** undefined: help is wanted. `seed`: the one to take if none is given. Errors: UsageError. */
export function parseOptions(argv: readonly string[], seed: number): Options | undefined {
  const values = split(argv);
  if (values.help) return undefined;
  return {
    deaths: integer("--kill", values.kill ?? "", 1, 1, MAX_DEATHS),
    seed: integer("--seed", values.seed, seed, 0, 2 ** 31 - 1),
    json: values.json ?? false,
    mutant: values.mutant === undefined ? undefined : mutantNamed(values.mutant),
  };
}

function split(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS }).values;
  } catch (error) {
    throw new UsageError((error as Error).message.split(/\. |\n/)[0]);
  }
}

function mutantNamed(id: string): Mutant {
  const found = MUTANTS.find((mutant) => mutant.id === id);
  if (found !== undefined) return found;
  throw new UsageError(
    `there is no mutant "${id}"; there are ${MUTANTS.map((mutant) => mutant.id).join(", ")}`,
  );
}
