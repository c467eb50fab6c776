/** Latencies as people read them: the quantiles, and a histogram of both loops side by side. */
import { align, table } from "../table.ts";
import { type Distribution, LATENCY, type LatencyResult } from "./run.ts";

const NAMES = ["ns", "samples", "p50", "p99", "p99.99", "max"];
/** Characters of a bar for each power of ten: what is rare must be seen beside what is not. */
const BAR_STEP = 3;

/** For a terminal. */
export function renderLatency(result: LatencyResult): string {
  const { distributions } = result;
  const lines = [
    `${LATENCY.name}: ${LATENCY.what}`,
    `  ${circumstances(result)}`,
    ...align([NAMES, ...distributions.map(cells)], [0]),
    ...align(histogram(distributions), [3, 5]),
  ];
  return `${lines.join("\n")}\n`;
}

/** As Markdown. */
export function latencyTables(result: LatencyResult | undefined): string[][] {
  if (result === undefined) return [];
  const { distributions } = result;
  const marks = ["---", ...NAMES.slice(1).map(() => "--:")];
  return [
    [
      `${LATENCY.name}, ${circumstances(result)}:`,
      "",
      ...table(NAMES, marks, distributions.map(cells)),
      "",
      "```",
      ...align(histogram(distributions), [3, 5]),
      "```",
    ],
  ];
}

function circumstances({ threads, rate, nulls, collections }: LatencyResult): string {
  const others = threads === 1 ? "1 other thread" : `${threads} other threads`;
  return `${others}, ${rate} thousand operations a second each; ${nulls} NULLs, ${collections} garbage collections`;
}

function cells({ subject, samples, p50, p99, p9999, max }: Distribution): string[] {
  return [subject, ...[samples, p50, p99, p9999, max].map(String)];
}

/** A row for each octave that any of them has: from, to, then a count and its bar for each. */
function histogram(distributions: readonly Distribution[]): string[][] {
  const counts = distributions.map((distribution) => distribution.histogram);
  const length = Math.max(...counts.map((each) => each.length));
  const first = Math.min(...counts.map((each) => each.findIndex((count) => count > 0)));
  const heads = ["from", "to ns", ...distributions.flatMap(({ subject }) => [subject, ""])];
  const rows = Array.from({ length: length - first }, (_, row) => {
    const octave = first + row;
    const range = [octave === 0 ? 0 : 2 ** octave, 2 ** (octave + 1) - 1].map(String);
    return [...range, ...counts.flatMap((each) => [String(each[octave] ?? 0), bar(each[octave] ?? 0)])];
  });
  return [heads, ...rows];
}

function bar(count: number): string {
  return count === 0 ? "" : "#".repeat(1 + Math.floor(BAR_STEP * Math.log10(count)));
}
