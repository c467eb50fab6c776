/** The command line, checked. */
import { parseArgs } from "node:util";
import { ALL_SIZES } from "./all-sizes/run.ts";
import { COUNTER } from "./counter/run.ts";
import { FAIRNESS } from "./fairness/run.ts";
import { LATENCY } from "./latency/run.ts";
import { SHARING } from "./sharing/run.ts";
import { BOUNDED } from "./threads/bounded.ts";
import { THREADED, type ThreadedWorkload } from "./threads/workloads.ts";
import { WORKLOADS } from "./workloads/list.ts";
import type { Workload } from "./workloads/workload.ts";

/** Those that are of a kind of their own. */
const SPECIAL = [BOUNDED, ALL_SIZES, LATENCY, COUNTER, FAIRNESS, SHARING];
/** In the order in which they run. The first ones, of one thread, run when none is named. */
export const ALL = [...WORKLOADS, ...THREADED, ...SPECIAL];

export interface Options {
  /** Those that were named, or all of one thread. */
  readonly workloads: readonly Workload[];
  readonly threaded: readonly ThreadedWorkload[];
  readonly bounded: boolean;
  readonly allSizes: boolean;
  readonly latency: boolean;
  readonly counter: boolean;
  readonly fairness: boolean;
  readonly sharing: boolean;
  /** What was named. */
  readonly chosen: readonly string[];
  /** Measurements per process. */
  readonly rounds: number;
  /** Processes per subject: where memory and code happen to lie differs from one to the next. */
  readonly processes: number;
  /** Threads of a workload that has several, without readers. */
  readonly threads: number;
  /** How long such a one is measured; undefined: as it is made for. */
  readonly seconds: number | undefined;
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

const USUAL = { rounds: 201, processes: 3, seconds: undefined };
/** What --quick says instead: enough to see that all works. */
const QUICK = { rounds: 5, processes: 1, seconds: 0.2 };
const MAX_COUNT = 10_000;
const DEFAULT_THREADS = 2;
const MAX_THREADS = 32;
const MAX_SECONDS = 3600;
/** Seconds that are measured in a process. */
export const DEFAULT_SECONDS = 1;
export const BOUNDED_SECONDS = 10;
export const LATENCY_SECONDS = 5;

export const HELP = `usage: npm run bench -- [workload...] [options]

Times the allocators, each in processes of its own, in turn with a plain list of free objects in a shared
Int32Array (the reference). Without a workload: all of one thread.

  --rounds N     measurements in each process (default ${USUAL.rounds})
  --processes N  processes for each subject (default ${USUAL.processes})
  --threads N    threads of overwrite, batch, diff-cpu, bounded, counter, and the others of latency (default ${DEFAULT_THREADS})
  --seconds N    how long these are measured in each process
                 (default ${DEFAULT_SECONDS}; bounded ${BOUNDED_SECONDS}; latency ${LATENCY_SECONDS})
  --quick        few measurements, where the options above do not say how many
  --json         print JSON
  --save         also write the JSON into bench/results
  --report       print what was saved as Markdown tables
  --list         list the workloads
  --help         print this
`;

const OPTIONS = {
  rounds: { type: "string" },
  processes: { type: "string" },
  threads: { type: "string" },
  seconds: { type: "string" },
  quick: { type: "boolean" },
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
  positionals.forEach(checkWorkload);
  const usual = values.quick ? QUICK : USUAL;
  const isNamed = ({ name }: { name: string }) => positionals.includes(name);
  const options = {
    workloads:
      positionals.length > 0 ? WORKLOADS.filter(isNamed) : WORKLOADS.filter(({ onRequest }) => !onRequest),
    threaded: THREADED.filter(isNamed),
    bounded: isNamed(BOUNDED),
    allSizes: isNamed(ALL_SIZES),
    latency: isNamed(LATENCY),
    counter: isNamed(COUNTER),
    fairness: isNamed(FAIRNESS),
    sharing: isNamed(SHARING),
    chosen: positionals,
    rounds: count("--rounds", values.rounds, usual.rounds),
    processes: count("--processes", values.processes, usual.processes),
    threads: count("--threads", values.threads, DEFAULT_THREADS, MAX_THREADS),
    seconds: seconds(values.seconds) ?? usual.seconds,
    json: values.json ?? false,
    save: values.save ?? false,
  };
  if (options.threads % 2 !== 0 && options.threaded.some(({ isHandedOver }) => isHandedOver))
    throw new UsageError("diff-cpu takes an even number of threads");
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

function checkWorkload(name: string): void {
  const names = ALL.map((each) => each.name);
  if (names.includes(name)) return;
  throw new UsageError(`unknown workload "${name}"; there are ${names.join(", ")}`);
}

function count(option: string, text: string | undefined, fallback: number, max = MAX_COUNT): number {
  if (text === undefined) return fallback;
  const value = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= max) return value;
  throw new UsageError(`${option} takes a whole number from 1 to ${max}, not "${text}"`);
}

function seconds(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,4}(\.\d{1,3})?$/.test(text) ? Number(text) : 0;
  if (value > 0 && value <= MAX_SECONDS) return value;
  throw new UsageError(`--seconds takes a number up to ${MAX_SECONDS}, not "${text}"`);
}
