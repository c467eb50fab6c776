/** Results as people read them: lines on a terminal, and Markdown for documents. */
import { allSizesTables } from "../all-sizes/report.ts";
import { counterTables } from "../counter/report.ts";
import { type Entry, subjectName, type Workloads } from "../entries.ts";
import { fairnessTables } from "../fairness/report.ts";
import { latencyTables } from "../latency/report.ts";
import { scaleTables } from "../parallel/report.ts";
import type { Run } from "../results.ts";
import type { Result } from "../run.ts";
import { sharingTables } from "../sharing/report.ts";
import { align, table } from "../table.ts";
import { ratesTable, renderBounded } from "../threads/report.ts";
import type { Workload } from "../workloads/workload.ts";

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

/** A run as Markdown: where it was, and a table for each kind of workload. */
export function runTables(run: Run): string[][] {
  const { threads } = run.machine;
  const tables = [[`${whereOf(run)}:`], timesTable(run.workloads), ratesTable(run.threaded)];
  tables.push(...scaleTables(run.scale, threads));
  if (run.bounded !== undefined) tables.push(["```", renderBounded(run.bounded).trimEnd(), "```"]);
  tables.push(...allSizesTables(run.allSizes), ...latencyTables(run.latency), ...counterTables(run.counter));
  tables.push(...fairnessTables(run.fairness), ...sharingTables(run.sharing));
  tables.push(commandLines(run), leftOutLines(run));
  return tables.filter((table) => table.length > 0);
}

/** The machine, and what ran on it. */
export function whereOf({ machine: { cpu, threads, system }, node }: Run): string {
  return `${cpu}, ${threads} threads, ${system}, Node ${node.replace("v", "")}`;
}

/** Each command that is left in the run, with what it measured. */
function commandLines({ runs }: Run): string[] {
  const names = new Map<string, string[]>();
  for (const [name, { command, date, load }] of Object.entries(runs)) {
    const key = `\`${command}\`, ${date}, load ${load}`;
    names.set(key, [...(names.get(key) ?? []), name]);
  }
  return [...names].map(([key, of]) => `- ${of.join(", ")}: ${key}`);
}

function leftOutLines({ leftOut }: Run): string[] {
  return leftOut.map(({ subject, why }) => `- left out: ${subject}, since ${why}`);
}

function timesTable(workloads: Workloads): string[] {
  const rows = Object.entries(workloads).flatMap(([workload, entries]) =>
    Object.entries(entries).map(([name, entry]) => [workload, subjectName(name), ...entryCells(entry)]),
  );
  const names = ["workload", "subject", "ns", "middle half", "min to max", "rounds", "x reference", "target"];
  return table(names, ["---", "---", "--:", "---", "---", "--:", "--:", "---"], rows);
}

function entryCells({ median, low, high, min, max, rounds, ratio, target, met }: Entry): string[] {
  return [
    ns(median),
    `${ns(low)} to ${ns(high)}`,
    `${ns(min)} to ${ns(max)}`,
    String(rounds),
    ratio?.median.toFixed(2) ?? "",
    target === undefined ? "" : `${target}: ${met ? "met" : "missed"}`,
  ];
}

function verdict({ target, met }: Result): string {
  if (target === undefined) return "";
  return `target: at most ${target}, ${met ? "met" : "missed"} on this machine`;
}

export function ns(value: number): string {
  return value.toFixed(value < 100 ? 2 : 0);
}
