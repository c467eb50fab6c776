/** Results as people read them: lines on a terminal, and Markdown for documents. */
import { allSizesTables } from "./all-sizes/report.ts";
import { counterTables } from "./counter/report.ts";
import { fairnessTables } from "./fairness/report.ts";
import { latencyTables } from "./latency/report.ts";
import type { Run } from "./results.ts";
import type { Result } from "./run.ts";
import { sharingTables } from "./sharing/report.ts";
import { align, table } from "./table.ts";
import { ratesTable, renderBounded } from "./threads/report.ts";
import type { Workload } from "./workloads/workload.ts";

/** A workload's results, for a terminal. */
export function renderResults(workload: Workload, results: readonly Result[]): string {
  const rows = results.map((result) => [
    result.subject,
    `${ns(result.time.median)} ns`,
    `${ns(result.time.low)} to ${ns(result.time.high)}`,
    `${result.ratio.median.toFixed(2)} x reference`,
    verdict(result),
  ]);
  return `${[`${workload.name}: ${workload.what}`, ...align(rows, [0, 4])].join("\n")}\n`;
}

/** All saved runs as Markdown. */
export function renderReport(runs: readonly Run[]): string {
  return runs.map(renderRun).join("\n");
}

function renderRun(run: Run): string {
  const { cpu, threads, system, load } = run.machine;
  const where = `${cpu}, ${threads} threads, ${system}, load ${load}, Node ${run.node.replace("v", "")}`;
  const tables = [timesTable(run.results), ratesTable(run.threaded)].filter((table) => table.length > 0);
  if (run.bounded !== undefined) tables.push([renderBounded(run.bounded).trimEnd()]);
  tables.push(...allSizesTables(run.allSizes), ...latencyTables(run.latency), ...counterTables(run.counter));
  tables.push(...fairnessTables(run.fairness), ...sharingTables(run.sharing));
  const lines = tables.flatMap((table) => ["", ...table]);
  return `${[`${where}, ${run.date}: \`${run.command}\``, ...lines].join("\n")}\n`;
}

function timesTable(results: readonly Result[]): string[] {
  const rows = results.map((result) => [
    result.workload,
    result.subject,
    ns(result.time.median),
    `${ns(result.time.low)} to ${ns(result.time.high)}`,
    result.ratio.median.toFixed(2),
    result.target === undefined ? "" : `${result.target}: ${result.met ? "met" : "missed"}`,
  ]);
  const names = ["workload", "subject", "ns", "middle half", "x reference", "target"];
  return table(names, ["---", "---", "--:", "---", "--:", "---"], rows);
}

function verdict({ target, met }: Result): string {
  if (target === undefined) return "";
  return `target: at most ${target}, ${met ? "met" : "missed"} on this machine`;
}

function ns(value: number): string {
  return value.toFixed(value < 100 ? 2 : 0);
}
