/** The command line, checked. */
import { parseArgs } from "node:util";
import { WORKLOADS, workloadNamed } from "./workloads/list.ts";
import type { Workload } from "./workloads/workload.ts";

export interface Options {
  /** Those that were named, or all. */
  readonly workloads: readonly Workload[];
  /** Whether any were named. */
  readonly chosen: boolean;
  /** Measurements per process. */
  readonly rounds: number;
  /** Processes per subject: where memory and code happen to lie differs from one to the next. */
  readonly processes: number;
  readonly json: boolean;
  readonly save: boolean;
}

export type Command =
  | { kind: "help" }
  | { kind: "list" }
  | { kind: "report" }
  | { kind: "run"; options: Options };

/** The command line is wrong; the message says how. */
export class UsageError extends Error {}

const DEFAULT_ROUNDS = 201;
const DEFAULT_PROCESSES = 3;
const MAX_COUNT = 10_000;

export const HELP = `usage: npm run bench -- [workload...] [options]

Times the allocators, each in processes of its own, in turn with a plain list of free objects in a shared
Int32Array (the reference). Without a workload: all.

  --rounds N     measurements in each process (default ${DEFAULT_ROUNDS})
  --processes N  processes for each subject (default ${DEFAULT_PROCESSES})
  --json         print JSON
  --save         also write the JSON into bench/results
  --report       print what was saved as Markdown tables
  --list         list the workloads
  --help         print this
`;

const OPTIONS = {
  rounds: { type: "string" },
  processes: { type: "string" },
  json: { type: "boolean" },
  save: { type: "boolean" },
  report: { type: "boolean" },
  list: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

export function parseCommand(argv: readonly string[]): Command {
  const { values, positionals } = split(argv);
  if (values.help) return { kind: "help" };
  if (values.list) return { kind: "list" };
  if (values.report) return { kind: "report" };
  const workloads = positionals.length > 0 ? positionals.map(workload) : WORKLOADS;
  const options = {
    workloads,
    chosen: positionals.length > 0,
    rounds: count("--rounds", values.rounds, DEFAULT_ROUNDS),
    processes: count("--processes", values.processes, DEFAULT_PROCESSES),
    json: values.json ?? false,
    save: values.save ?? false,
  };
  return { kind: "run", options };
}

function split(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    // Node's message goes on with advice about "--" that is of no use here
    throw new UsageError((error as Error).message.split(/\. |\n/)[0]);
  }
}

function workload(name: string): Workload {
  const found = workloadNamed(name);
  if (found !== undefined) return found;
  throw new UsageError(
    `unknown workload "${name}"; there are ${WORKLOADS.map((each) => each.name).join(", ")}`,
  );
}

function count(option: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const value = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= MAX_COUNT) return value;
  throw new UsageError(`${option} takes a whole number from 1 to ${MAX_COUNT}, not "${text}"`);
}
