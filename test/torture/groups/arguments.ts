/** The command line, checked. */
import { parseArgs } from "node:util";
import { integer, mutantNamed, UsageError } from "../rcu/arguments.ts";
import type { Mutant } from "../rcu/mutants.ts";
import { MUTANTS } from "./mutants.ts";

export interface Options {
  readonly seconds: number;
  readonly threads: number;
  readonly seed: number;
  readonly json: boolean;
  /** To be found, each in a library that has it; none: the library as it is. */
  readonly mutants: readonly Mutant[];
}

const DEFAULT_SECONDS = 60;
/** Twice the cores of a small machine: threads are then interrupted anywhere. */
const DEFAULT_THREADS = 4;
/** What is never freed stays charged to the root, and a counter goes to 16 GiB. */
const MAX_SECONDS = 7200;
const MAX_THREADS = 16;

export const HELP = `usage: npm run torture -- --groups [options]

Threads make accounting groups in one another, fill them by allocators of all kinds, move their limits, free what others have
allocated, destroy allocators with objects out, drop groups with charges out and groups below them, detach and attach. While all
rest, now and then, every sum is looked at; in the end nothing may be left.

  --seconds N    default ${DEFAULT_SECONDS}
  --threads N    2 to ${MAX_THREADS}, default ${DEFAULT_THREADS}
  --seed N       chooses what the threads do; default: by chance. Threads cannot be repeated exactly
  --mutant ID    with that bug planted in a copy of the library: must be found
  --mutants      all of them (${MUTANTS.map(({ id }) => id).join(", ")})
  --json         one object on standard output
  --help         print this

Exit code 1 if something is wrong, or a mutant was not found; 2 for wrong options.
`;

const OPTIONS = {
  seconds: { type: "string" },
  threads: { type: "string" },
  seed: { type: "string" },
  mutant: { type: "string" },
  mutants: { type: "boolean" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/** `seed`: the one to take if none is given. Undefined: help is asked for. Errors: UsageError. */
export function parseOptions(argv: readonly string[], seed: number): Options | undefined {
  const values = split(argv);
  if (values.help) return undefined;
  const one = values.mutant === undefined ? [] : [mutantNamed(MUTANTS, values.mutant)];
  return {
    seconds: integer("--seconds", values.seconds, DEFAULT_SECONDS, 1, MAX_SECONDS),
    threads: integer("--threads", values.threads, DEFAULT_THREADS, 2, MAX_THREADS),
    seed: integer("--seed", values.seed, seed, 0, 2 ** 31 - 1),
    json: values.json ?? false,
    mutants: values.mutants ? MUTANTS : one,
  };
}

function split(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS }).values;
  } catch (error) {
    // Node's message goes on with advice about "--" that is of no use here
    throw new UsageError((error as Error).message.split(/\. |\n/)[0]);
  }
}
