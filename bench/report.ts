/** Results as people read them: lines on a terminal, and Markdown for documents. */
import type { Run } from "./results.ts";
import type { Result } from "./run.ts";
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
  return `${[`${workload.name}: ${workload.what}`, ...align(rows)].join("\n")}\n`;
}

/** All saved runs as Markdown. */
export function renderReport(runs: readonly Run[]): string {
  return runs.map(renderRun).join("\n");
}

function renderRun(run: Run): string {
  const { cpu, threads, system, load } = run.machine;
  const rows = run.results.map((result) => [
    result.workload,
    result.subject,
    ns(result.time.median),
    `${ns(result.time.low)} to ${ns(result.time.high)}`,
    result.ratio.median.toFixed(2),
    result.target === undefined ? "" : `${result.target}: ${result.met ? "met" : "missed"}`,
  ]);
  const lines = [
    `${cpu}, ${threads} threads, ${system}, load ${load}, Node ${run.node.replace("v", "")}, ${run.date}: \`${run.command}\``,
    "",
    row(["workload", "subject", "ns", "middle half", "x reference", "target"]),
    row(["---", "---", "--:", "---", "--:", "---"]),
    ...rows.map(row),
  ];
  return `${lines.join("\n")}\n`;
}

function verdict({ target, met }: Result): string {
  if (target === undefined) return "";
  return `target: at most ${target}, ${met ? "met" : "missed"} on this machine`;
}

function ns(value: number): string {
  return value.toFixed(value < 100 ? 2 : 0);
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function align(rows: readonly string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => cells[column].length)));
  return rows.map((cells) => {
    const padded = cells.map((cell, column) =>
      column === 0 || column === 4 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]),
    );
    return `  ${padded.join("  ")}`.trimEnd();
  });
}
