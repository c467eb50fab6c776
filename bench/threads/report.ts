/** Results of several threads as people read them. */
import { align, table } from "../table.ts";
import type { BoundedResult } from "./bounded.ts";
import type { ThreadedResult } from "./run.ts";
import type { ThreadedWorkload } from "./workloads.ts";

const NAMES = [
  "subject",
  "1000 op/s each",
  "middle half",
  "average MiB",
  "peak MiB",
  "x pool",
  "x callbacks",
];

/** A workload's results, for a terminal. */
export function renderThreaded({ name, what }: ThreadedWorkload, results: readonly ThreadedResult[]): string {
  const lines = align([NAMES, ...results.map(cells)], [0]);
  return `${[`${name}, ${results[0].threads} threads: ${what}`, ...lines].join("\n")}\n`;
}

/** All results as Markdown. */
export function ratesTable(results: readonly ThreadedResult[]): string[] {
  const rows = results.map((result) => [result.workload, String(result.threads), ...cells(result)]);
  const marks = ["---", "--:", "---", "--:", "---", "--:", "--:", "--:", "--:"];
  return table(["workload", "threads", ...NAMES], marks, rows);
}

function cells({ subject, rate, average, peak, toPool, toCallbacks }: ThreadedResult): string[] {
  return [
    subject,
    rate.median.toFixed(0),
    `${rate.low.toFixed(0)} to ${rate.high.toFixed(0)}`,
    average.median.toFixed(2),
    peak.median.toFixed(2),
    toPool.median.toFixed(2),
    toCallbacks?.median.toFixed(1) ?? "",
  ];
}

export function renderBounded(result: BoundedResult): string {
  const { subject, threads, rate, waiting, peak, firstThird, lastThird, isFlat } = result;
  const figures = waiting.map((value) => value.toFixed(2)).join(" ");
  return [
    `bounded, ${threads} threads: ${subject}, overwrite, ${rate} thousand operations a second each`,
    `  MiB that wait, each second: ${figures}`,
    `  first third ${firstThird.toFixed(2)}, last third ${lastThird.toFixed(2)}: ${isFlat ? "stays flat" : "GROWS"}; ` +
      `${peak.toFixed(2)} MiB in use at most`,
    "",
  ].join("\n");
}
