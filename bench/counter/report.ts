/** What counting takes, as people read it. */
import type { Spread } from "../statistics.ts";
import { align, table } from "../table.ts";
import { COUNTER, type CounterResult } from "./run.ts";

const NAMES = ["subject", "ns", "middle half"];

/** For a terminal. */
export function renderCounter(result: CounterResult): string {
  return `${[`${COUNTER.name}: ${COUNTER.what}`, ...align(rows(result), [0]), `  ${verdict(result)}`].join("\n")}\n`;
}

/** As Markdown. */
export function counterTables(result: CounterResult | undefined): string[][] {
  if (result === undefined) return [];
  return [[`${COUNTER.name}, ${verdict(result)}:`, "", ...table(NAMES, ["---", "--:", "---"], rows(result))]];
}

function rows({ percpu, word }: CounterResult): string[][] {
  return [row("PerCpuCounter.add", percpu), row("Atomics.add", word)];
}

function row(subject: string, { median, low, high }: Spread): string[] {
  return [subject, median.toFixed(2), `${low.toFixed(2)} to ${high.toFixed(2)}`];
}

function verdict({ threads, ratio, target }: CounterResult): string {
  const met = ratio.median >= target ? "met" : "missed";
  return `${threads} threads: one word takes ${ratio.median.toFixed(1)} times as long; target: at least ${target}, ${met} on this machine`;
}
