/** Results of several threads at once as people read them. */
import { align, table } from "../table.ts";
import type { ParallelResult } from "./run.ts";
import { hasFallen, keptOf, SCALE, type ScaleResult, throughputOf } from "./scale.ts";
import type { ParallelWorkload } from "./workloads.ts";

/** A workload's results, for a terminal. */
export function renderParallel({ name, what }: ParallelWorkload, results: readonly ParallelResult[]): string {
  const rows = results.map(({ subject, time, speedup }) => [
    subject,
    `${time.median.toFixed(2)} ns`,
    `${time.low.toFixed(2)} to ${time.high.toFixed(2)}`,
    speedup === undefined ? "" : `${speedup.median.toFixed(2)} x one thread`,
  ]);
  return `${[`${name}: ${what}`, ...align(rows, [0])].join("\n")}\n`;
}

/** Throughput against threads, for a terminal. */
export function renderScale(results: readonly ScaleResult[], processors: number): string {
  const rows = results.map((result) => cells(result, threadsOf(results), processors));
  return `${[`${SCALE.name}: ${unit(processors)}`, ...align([names(results), ...rows], [0, 1])].join("\n")}\n`;
}

/** As Markdown. */
export function scaleTables(results: readonly ScaleResult[], processors: number): string[][] {
  if (results.length === 0) return [];
  const heads = names(results);
  const marks = heads.map((_, column) => (column < 2 ? "---" : "--:"));
  const rows = results.map((result) => cells(result, threadsOf(results), processors));
  return [[`${SCALE.name}, ${unit(processors)}:`, "", ...table(heads, marks, rows)]];
}

function unit(processors: number): string {
  return `millions of operations a second, of all threads, on ${processors} processors`;
}

/** Every number of threads that some result has. */
function threadsOf(results: readonly ScaleResult[]): number[] {
  const threads = results.flatMap(({ points }) => points.map((point) => point.threads));
  return [...new Set(threads)].sort((a, b) => a - b);
}

function names(results: readonly ScaleResult[]): string[] {
  return ["workload", "subject", ...threadsOf(results).map(String), "more threads than processors"];
}

function cells(
  { workload, subject, points }: ScaleResult,
  threads: readonly number[],
  processors: number,
): string[] {
  const throughputs = threads.map((count) => {
    const point = points.find((each) => each.threads === count);
    return point === undefined ? "" : throughputOf(point).toFixed(1);
  });
  return [workload, subject, ...throughputs, verdict(keptOf(points, processors))];
}

function verdict(kept: number | undefined): string {
  if (kept === undefined) return "";
  return `${hasFallen(kept) ? "FALLS" : "keeps"} to ${(100 * kept).toFixed(0)} %`.replace(
    "keeps to",
    "keeps",
  );
}
