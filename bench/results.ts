/** What a run leaves behind: its results, and on which machine they were had. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, type } from "node:os";
import { join } from "node:path";
import { arch, version, versions } from "node:process";
import { fileURLToPath } from "node:url";
import { ALL_SIZES, type AllSizesResult } from "./all-sizes/run.ts";
import { COUNTER, type CounterResult } from "./counter/run.ts";
import { type Workloads, workloadsOf } from "./entries.ts";
import { FAIRNESS, type FairnessResult } from "./fairness/run.ts";
import { LATENCY, type LatencyResult } from "./latency/run.ts";
import type { ParallelResult } from "./parallel/run.ts";
import { SCALE, type ScaleResult } from "./parallel/scale.ts";
import { type LeftOut, peersLeftOut } from "./peers/list.ts";
import type { Result } from "./run.ts";
import { SHARING, type SharingResult } from "./sharing/run.ts";
import { BOUNDED, type BoundedResult } from "./threads/bounded.ts";
import type { ThreadedResult } from "./threads/run.ts";

export interface Machine {
  readonly cpu: string;
  readonly threads: number;
  readonly system: string;
  /** How many other programs wanted to run when this one began, on average over a minute. */
  readonly load: number;
}

/** Workloads that have results of a form of their own. */
export interface Special {
  readonly threaded: readonly ThreadedResult[];
  readonly scale: readonly ScaleResult[];
  readonly bounded: BoundedResult | undefined;
  readonly allSizes: readonly AllSizesResult[];
  readonly latency: LatencyResult | undefined;
  readonly counter: CounterResult | undefined;
  readonly fairness: FairnessResult | undefined;
  readonly sharing: readonly SharingResult[];
}

/** What was measured. */
export interface Results extends Special {
  /** Workloads of one thread. */
  readonly results: readonly Result[];
  /** Of two at once. */
  readonly parallel: readonly ParallelResult[];
}

/** How a workload was measured. */
export interface Circumstances {
  readonly command: string;
  readonly date: string;
  readonly load: number;
}

export interface Run extends Special {
  /** The last command. */
  readonly command: string;
  readonly date: string;
  readonly machine: Machine;
  readonly node: string;
  readonly v8: string;
  readonly workloads: Workloads;
  /** By workload, those of a form of their own too. */
  readonly runs: Readonly<Record<string, Circumstances>>;
  /** What this machine could not run. */
  readonly leftOut: readonly LeftOut[];
}

/** The sources' folder, seen from the build's. */
export const RESULTS_FOLDER = fileURLToPath(new URL("../../bench/results/", import.meta.url));

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    threads: availableParallelism(),
    system: `${type()} ${arch}`,
    load: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}

export function runOf(command: string, where: Machine, { results, parallel, ...special }: Results): Run {
  const date = new Date().toISOString().slice(0, 10);
  const workloads = workloadsOf(results, parallel);
  const circumstances = { command, date, load: where.load };
  const names = [...Object.keys(workloads), ...namesOf(special)];
  return {
    command,
    date,
    machine: where,
    node: version,
    v8: versions.v8,
    workloads,
    ...special,
    runs: Object.fromEntries(names.map((name) => [name, circumstances])),
    leftOut: peersLeftOut(),
  };
}

/** Of the workloads that were measured. */
function namesOf(special: Special): string[] {
  const { threaded, scale, bounded, allSizes, latency, counter, fairness, sharing } = special;
  const some = [
    [SCALE, scale.length > 0],
    [BOUNDED, bounded],
    [ALL_SIZES, allSizes.length > 0],
    [LATENCY, latency],
    [COUNTER, counter],
    [FAIRNESS, fairness],
    [SHARING, sharing.length > 0],
  ] as const;
  const names = some.filter(([, result]) => result).map(([{ name }]) => name);
  return [...new Set(threaded.map(({ workload }) => workload)), ...names];
}

/** What was saved, with all that was measured now in its place. */
export function mergedRun(old: Run, now: Run): Run {
  return {
    ...now,
    workloads: { ...old.workloads, ...now.workloads },
    threaded: replaced(old.threaded, now.threaded),
    scale: replaced(old.scale, now.scale),
    bounded: now.bounded ?? old.bounded,
    allSizes: now.allSizes.length > 0 ? now.allSizes : old.allSizes,
    latency: now.latency ?? old.latency,
    counter: now.counter ?? old.counter,
    fairness: now.fairness ?? old.fairness,
    sharing: now.sharing.length > 0 ? now.sharing : old.sharing,
    runs: { ...old.runs, ...now.runs },
  };
}

function replaced<R extends { readonly workload: string }>(old: readonly R[], now: readonly R[]): R[] {
  return [...old.filter(({ workload }) => !now.some((result) => result.workload === workload)), ...now];
}

export function renderJson(run: Run): string {
  return `${JSON.stringify(run, null, 2)}\n`;
}

/** What is in the names of processors, and tells nothing. */
const NO_NAME = /\(R\)|\(TM\)|\b(CPU|Processor)\b/gi;

/** A run's name in files: one for a machine and a Node. */
export function fileName({ machine: { cpu }, node }: Run): string {
  return kebab(`${cpu.replace(NO_NAME, "")} node${node.replace("v", "").split(".")[0]}`);
}

/** Writes a run into the folder of results, over what is there of the same workloads. Returns its path. */
export function saveRun(run: Run, folder: string): string {
  const path = join(folder, `${fileName(run)}.json`);
  mkdirSync(folder, { recursive: true });
  const old = existsSync(path) ? readRun(path) : undefined;
  writeFileSync(path, renderJson(old === undefined ? run : mergedRun(old, run)));
  return path;
}

export function savedRuns(folder: string): Run[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
  return files.sort().map((name) => readRun(join(folder, name)));
}

function readRun(path: string): Run {
  return JSON.parse(readFileSync(path, "utf8")) as Run;
}

function kebab(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
}
