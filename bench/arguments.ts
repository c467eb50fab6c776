/** The command line, checked. */
import { version as nodeVersion } from "node:process";
import { parseArgs } from "node:util";
import { ALL_SIZES } from "./all-sizes/run.ts";
import { COUNTER } from "./counter/run.ts";
import { FAIRNESS } from "./fairness/run.ts";
import { LATENCY } from "./latency/run.ts";
import { SCALE, SCALE_THREADS } from "./parallel/scale.ts";
import { PARALLEL, type ParallelWorkload, SCALED } from "./parallel/workloads.ts";
import { RESULTS_FOLDER } from "./results.ts";
import { SHARING } from "./sharing/run.ts";
import { BOUNDED } from "./threads/bounded.ts";
import { THREADED, type ThreadedWorkload } from "./threads/workloads.ts";
import { ON_ALLOCATORS, WORKLOADS } from "./workloads/list.ts";
import type { Workload } from "./workloads/workload.ts";

/** Those that are of a kind of their own. */
const SPECIAL = [SCALE, BOUNDED, ALL_SIZES, LATENCY, COUNTER, FAIRNESS, SHARING];
/** In the order in which they run. The first ones, of one thread, run when none is named. */
export const ALL = [...WORKLOADS, ...PARALLEL, ...THREADED, ...SPECIAL];
const ALL_NAMES = ALL.map(({ name }) => name);

/** What is measured on several numbers of threads. */
export interface ScaleChoice {
  /** Names of workloads. */
  readonly workloads: readonly string[];
  readonly threads: readonly number[];
}

export interface Options {
  /** Those that were named, or all of one thread. */
  readonly workloads: readonly Workload[];
  readonly parallel: readonly ParallelWorkload[];
  readonly scale: ScaleChoice | undefined;
  readonly threaded: readonly ThreadedWorkload[];
  readonly bounded: boolean;
  readonly allSizes: boolean;
  readonly latency: boolean;
  readonly counter: boolean;
  readonly fairness: boolean;
  readonly sharing: boolean;
  /** Measurements per process. */
  readonly rounds: number;
  /** Processes per subject: where memory and code happen to lie differs from one to the next. */
  readonly processes: number;
  /** Threads of a workload that has several, without readers. */
  readonly threads: number;
  /** How long such a one is measured; undefined: as it is made for. */
  readonly seconds: number | undefined;
  /** On changed copies of the library. */
  readonly variants: boolean;
  readonly json: boolean;
  readonly save: boolean;
  /** The folder of results. */
  readonly results: string;
}

export type Command =
  | { kind: "help" }
  | { kind: "list" }
  | { kind: "report"; results: string; write: boolean }
  | { kind: "run"; options: Options };

/** The command line is wrong; the message says how. */
export class UsageError extends Error {}

export const USUAL = { rounds: 201, processes: 3, seconds: undefined };
/** What --quick says instead: enough to see that all works. */
const QUICK = { rounds: 5, processes: 1, seconds: 0.2 };
const MAX_COUNT = 10_000;
export const DEFAULT_THREADS = 2;
const MAX_THREADS = 32;
const MAX_SECONDS = 3600;
/** Seconds that are measured in a process. */
export const DEFAULT_SECONDS = 1;
export const BOUNDED_SECONDS = 10;
export const LATENCY_SECONDS = 5;

const OPTIONS = {
  all: { type: "boolean" },
  variants: { type: "boolean" },
  rounds: { type: "string" },
  processes: { type: "string" },
  threads: { type: "string" },
  seconds: { type: "string" },
  node: { type: "string" },
  quick: { type: "boolean" },
  json: { type: "boolean" },
  save: { type: "boolean" },
  results: { type: "string" },
  report: { type: "boolean" },
  write: { type: "boolean" },
  list: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

type Values = ReturnType<typeof split>["values"];

export function parseCommand(argv: readonly string[]): Command {
  const { values, positionals } = split(argv);
  if (values.help) return { kind: "help" };
  if (values.list) return { kind: "list" };
  const results = values.results ?? RESULTS_FOLDER;
  if (values.write && values.results !== undefined)
    throw new UsageError("--write is for what is in bench/results, which documents link to");
  if (values.report) return { kind: "report", results, write: values.write ?? false };
  if (values.write) throw new UsageError("--write goes with --report");
  positionals.forEach(checkWorkload);
  checkNode(values.node);
  if (values.variants) checkVariants(positionals, values);
  const named = namesOf(positionals, values);
  return { kind: "run", options: { ...chosen(named, values), ...amounts(values), results } };
}

function namesOf(names: readonly string[], { all, variants }: Values): readonly string[] {
  if (all) return ALL_NAMES;
  return variants && names.length === 0 ? ["pair64"] : names;
}

/** What runs. */
function chosen(named: readonly string[], values: Values) {
  const isNamed = ({ name }: { name: string }) => named.includes(name);
  const scale = scaleOf(named, values);
  const scaledOnly = isNamed(SCALE) ? [] : (scale?.workloads ?? []);
  const isMeant = (workload: Workload) => isNamed(workload) && !scaledOnly.includes(workload.name);
  const threaded = THREADED.filter(isNamed);
  const threads = threadsOf(named, values);
  if (threads % 2 !== 0 && threaded.some(({ isHandedOver }) => isHandedOver))
    throw new UsageError("diff-cpu takes an even number of threads");
  return {
    workloads: named.length > 0 ? WORKLOADS.filter(isMeant) : WORKLOADS,
    parallel: PARALLEL.filter(isNamed),
    scale,
    threaded,
    threads,
    bounded: isNamed(BOUNDED),
    allSizes: isNamed(ALL_SIZES),
    latency: isNamed(LATENCY),
    counter: isNamed(COUNTER),
    fairness: isNamed(FAIRNESS),
    sharing: isNamed(SHARING),
  };
}

/** How much. */
function amounts(values: Values) {
  const usual = values.quick ? QUICK : USUAL;
  return {
    rounds: count("--rounds", values.rounds, usual.rounds),
    processes: count("--processes", values.processes, usual.processes),
    seconds: seconds(values.seconds) ?? usual.seconds,
    variants: values.variants ?? false,
    json: values.json ?? false,
    save: values.save ?? false,
  };
}

/** `scale`, or its workloads where --threads says on how many. */
function scaleOf(named: readonly string[], { threads }: Values): ScaleChoice | undefined {
  const isAll = named.includes(SCALE.name);
  if (!isAll && threads === undefined) return undefined;
  const workloads = SCALED.map(({ name }) => name).filter((name) => isAll || named.includes(name));
  if (workloads.length === 0) return undefined;
  return { workloads, threads: threads === undefined ? SCALE_THREADS : threadList(threads) };
}

/** One number, for those that are measured on one. */
function threadsOf(named: readonly string[], { threads }: Values): number {
  if (threads === undefined) return DEFAULT_THREADS;
  const [first, ...others] = threadList(threads);
  const scaled = [SCALE, ...SCALED].map(({ name }) => name);
  const single = named.find((name) => !scaled.includes(name));
  if (others.length > 0 && single !== undefined)
    throw new UsageError(`${single} takes one number of threads, not "${threads}"`);
  return first;
}

function threadList(text: string): number[] {
  return text.split(",").map((each) => count("--threads", each, DEFAULT_THREADS, MAX_THREADS));
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
  if (ALL_NAMES.includes(name)) return;
  throw new UsageError(`unknown workload "${name}"; there are ${ALL_NAMES.join(", ")}`);
}

/** `npm run bench` has seen to it that this runs there. */
function checkNode(version: string | undefined): void {
  if (version === undefined || `v${version}.`.startsWith(`${nodeVersion.split(".")[0]}.`)) return;
  throw new UsageError(`--node takes a version from 20 on, as 24 or 24.1.0, not "${version}"`);
}

function checkVariants(names: readonly string[], { all, save, threads }: Values): void {
  const able = [...ON_ALLOCATORS, ...PARALLEL, ...THREADED].map(({ name }) => name);
  const wrong = names.find((name) => !able.includes(name));
  if (all || wrong !== undefined)
    throw new UsageError(`--variants is for ${able.join(", ")}, not ${all ? "--all" : wrong}`);
  if (save || threads !== undefined)
    throw new UsageError(
      "--variants goes neither with --save, since the library is another one, nor with --threads",
    );
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
