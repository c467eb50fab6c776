/** What a run leaves behind: its results, and on which machine they were had. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, type } from "node:os";
import { join } from "node:path";
import { arch, version, versions } from "node:process";
import { fileURLToPath } from "node:url";
import type { AllSizesResult } from "./all-sizes/run.ts";
import type { CounterResult } from "./counter/run.ts";
import type { FairnessResult } from "./fairness/run.ts";
import type { LatencyResult } from "./latency/run.ts";
import type { Result } from "./run.ts";
import type { SharingResult } from "./sharing/run.ts";
import type { BoundedResult } from "./threads/bounded.ts";
import type { ThreadedResult } from "./threads/run.ts";

export interface Machine {
  readonly cpu: string;
  readonly threads: number;
  readonly system: string;
  /** How many other programs wanted to run when this one began, on average over a minute. */
  readonly load: number;
}

/** What was measured. */
export interface Results {
  /** Workloads of one thread. */
  readonly results: readonly Result[];
  readonly threaded: readonly ThreadedResult[];
  readonly bounded: BoundedResult | undefined;
  readonly allSizes: readonly AllSizesResult[];
  readonly latency: LatencyResult | undefined;
  readonly counter: CounterResult | undefined;
  readonly fairness: FairnessResult | undefined;
  readonly sharing: readonly SharingResult[];
}

export interface Run extends Results {
  readonly command: string;
  readonly date: string;
  readonly machine: Machine;
  readonly node: string;
  readonly v8: string;
}

/** The sources' folder, seen from the build's. */
const FOLDER = fileURLToPath(new URL("../../bench/results/", import.meta.url));

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    threads: availableParallelism(),
    system: `${type()} ${arch}`,
    load: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}

export function runOf(command: string, where: Machine, results: Results): Run {
  const date = new Date().toISOString().slice(0, 10);
  return { command, date, machine: where, node: version, v8: versions.v8, ...results };
}

export function renderJson(run: Run): string {
  return `${JSON.stringify(run, null, 2)}\n`;
}

/**
 * Writes a run into the folder of results: one file for a machine, a Node and a choice of workloads,
 * which the next such run replaces. Returns its path.
 */
export function saveRun(run: Run, workloads: readonly string[]): string {
  const parts = [run.machine.cpu, `node${versions.node.split(".")[0]}`, ...workloads];
  const path = join(FOLDER, `${kebab(parts.join(" "))}.json`);
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(path, renderJson(run));
  return path;
}

export function savedRuns(): Run[] {
  if (!existsSync(FOLDER)) return [];
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));
  return files.sort().map((name) => JSON.parse(readFileSync(join(FOLDER, name), "utf8")) as Run);
}

function kebab(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
}
