/** A run's result as text. */
import type { Counts } from "./counters.ts";
import type { MemoryReport } from "./memory.ts";
import type { RunResult } from "./run.ts";

const PEAKS_IN_A_LINE = 20;

export function reportText({ seconds, counts, memory, failures }: RunResult): string {
  return [
    ...rows(counts).map(([name, text]) => `${name.padEnd(14)} ${text}`),
    ...memoryText(memory),
    "",
    ...(failures.length === 0
      ? [`passed: in ${seconds.toFixed(0)} s nothing reused early, no barrier too soon, nothing lost`]
      : failures.map((failure) => `FAILED after ${seconds.toFixed(1)} s: ${failure}`)),
  ].join("\n");
}

/** What is going on, in one line. */
export function progressText(seconds: number, counts: Counts, pages: number): string {
  return (
    `${seconds.toFixed(0).padStart(4)} s  ${millions(counts.reads)} reads, ${millions(counts.updates)} updates, ` +
    `${millions(counts.reusedUnderReader)} reused that a reader was open for, ${number(pages)} pages`
  );
}

function rows(counts: Counts): [string, string][] {
  const { reads, sections, asyncReads, asyncSections, updates, freeRcu, frees, retired } = counts;
  const { reused, reusedUnderReader, throughSlab, throughSlabUnderReader } = counts;
  const { callbacks, barriers, synchronizes, attaches } = counts;
  return [
    ["reads", `${number(reads)} in ${number(sections)} sections`],
    ["async reads", `${number(asyncReads)} in ${number(asyncSections)} tasks-trace sections`],
    [
      "updates",
      `${number(updates)}; ${number(freeRcu)} objects freed with freeRcu, ${number(frees)} with free, ` +
        `${number(retired)} of these by closures or after synchronize`,
    ],
    [
      "reused",
      `${number(reused)} handed out again after freeRcu; ${number(reusedUnderReader)} of them were freed ` +
        "while another thread was in a section, which had ended",
    ],
    [
      "through slab",
      `${number(throughSlab)} met again in kmalloc's memory; ${number(throughSlabUnderReader)} of them were freed ` +
        "while a section was open, which had ended",
    ],
    [
      "callbacks",
      `${number(callbacks)} closures, ${number(barriers)} barriers, ${number(synchronizes)} synchronizes`,
    ],
    ["attaches", number(attaches)],
  ];
}

function memoryText({ peaks, early, late, ratio, mostRatio, isJudged }: MemoryReport): string[] {
  const part = isJudged ? "minute" : "third";
  const lines = [
    `memory         pages, the most of each second: on average ${number(Math.round(early.average))} in the second ${part}, ` +
      `${number(Math.round(late.average))} in the last: ratio ${ratio.toFixed(2)}${isJudged ? "" : ", not judged in so short a run"}`,
    `               in the worst second ${number(early.most)} and ${number(late.most)}: ratio ${mostRatio.toFixed(2)}; second by second:`,
  ];
  for (let at = 0; at < peaks.length; at += PEAKS_IN_A_LINE)
    lines.push(`  ${peaks.slice(at, at + PEAKS_IN_A_LINE).join(" ")}`);
  return lines;
}

function number(n: number): string {
  return n.toLocaleString("en");
}

function millions(n: number): string {
  return `${(n / 1e6).toFixed(1)} M`;
}
