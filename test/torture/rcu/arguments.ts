/** The command line, checked. */
import { parseArgs } from "node:util";
import { MUTANTS, type Mutant } from "./mutants.ts";

export interface Options {
  readonly seconds: number;
  readonly threads: number;
  readonly seed: number;
  readonly traceImpliesRcu: boolean;
  readonly json: boolean;
  /** To be found in a library that has it. */
  readonly mutant: Mutant | undefined;
}

export type Command =
  | { kind: "help" }
  | { kind: "run"; options: Options }
  | { kind: "mutants"; options: Options };

/** The command line is wrong; the message says how. */
export class UsageError extends Error {}

const DEFAULT_SECONDS = 60;
/** Twice the cores of a small machine: threads are then interrupted anywhere, also inside sections. */
const DEFAULT_THREADS = 4;
const MAX_SECONDS = 86_400;
const MAX_THREADS = 16;

export const HELP = `usage: npm run torture -- [options]

Threads read, replace and free elements of one heap with all that grace periods offer, at full speed, and
check that nothing is reused while a reader that may see it is in its section, that barriers wait for what they must,
and that nothing is lost. (Threads that die: npm run torture -- --kill N, and --kill --help.)

  --seconds N             default ${DEFAULT_SECONDS}; from 180 on growth of memory is judged too
  --threads N             2 to ${MAX_THREADS}, default ${DEFAULT_THREADS}
  --seed N                chooses what the threads do; default: by chance. Threads cannot be repeated exactly
  --no-trace-implies-rcu  a heap with traceImpliesRcu: false
  --mutant ID             with that bug planted in a copy of the library: must fail
  --groups                accounting groups instead: see --groups --help
  --mutants               all of them (${MUTANTS.map(({ id }) => id).join(", ")}); fails if one is not found in time
  --json                  one object on standard output
  --help                  print this

Exit code 1 if something is wrong, 2 for wrong options.
`;

const OPTIONS = {
  seconds: { type: "string" },
  threads: { type: "string" },
  seed: { type: "string" },
  "no-trace-implies-rcu": { type: "boolean" },
  mutant: { type: "string" },
  mutants: { type: "boolean" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/** `seed`: the one to take if none is given. */
export function parseCommand(argv: readonly string[], seed: number): Command {
  const values = split(argv);
  if (values.help) return { kind: "help" };
  const mutant = values.mutant === undefined ? undefined : mutantNamed(MUTANTS, values.mutant);
  const options = {
    seconds: integer("--seconds", values.seconds, DEFAULT_SECONDS, 1, MAX_SECONDS),
    threads: integer("--threads", values.threads, DEFAULT_THREADS, 2, MAX_THREADS),
    seed: integer("--seed", values.seed, seed, 0, 2 ** 31 - 1),
    traceImpliesRcu: mutant?.traceImpliesRcu ?? values["no-trace-implies-rcu"] !== true,
    json: values.json ?? false,
    mutant,
  };
  return { kind: values.mutants ? "mutants" : "run", options };
}

function split(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS }).values;
  } catch (error) {
    // Node's message goes on with advice about "--" that is of no use here
    throw new UsageError((error as Error).message.split(/\. |\n/)[0]);
  }
}

export function mutantNamed(mutants: readonly Mutant[], id: string): Mutant {
  const found = mutants.find((mutant) => mutant.id === id);
  if (found !== undefined) return found;
  throw new UsageError(
    `there is no mutant "${id}"; there are ${mutants.map((mutant) => mutant.id).join(", ")}`,
  );
}

/** A number that was given as `text`, or `fallback`. Errors: UsageError. */
export function integer(
  option: string,
  text: string | undefined,
  fallback: number,
  min: number,
  max: number,
): number {
  if (text === undefined) return fallback;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : -1;
  if (value >= min && value <= max) return value;
  throw new UsageError(`${option} takes a whole number from ${min} to ${max}, not "${text}"`);
}
