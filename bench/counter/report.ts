/** What counting takes, as people read it. */
import { metOrMissed, type Pair, pairTable, renderPair } from "../pair-report.ts";
import { COUNTER, type CounterResult } from "./run.ts";

/** For a terminal. */
export function renderCounter(result: CounterResult): string {
  return renderPair(pairOf(result));
}

/** As Markdown. */
export function counterTables(result: CounterResult | undefined): string[][] {
  return result === undefined ? [] : [pairTable(pairOf(result))];
}

function pairOf({ threads, ratio, target, percpu, word }: CounterResult): Pair {
  const times = `${threads} threads: one word takes ${ratio.median.toFixed(1)} times as long`;
  return {
    ...COUNTER,
    head: "subject",
    loops: [
      ["PerCpuCounter.add", percpu],
      ["Atomics.add", word],
    ],
    verdict: `${times}; target: at least ${target}, ${metOrMissed(ratio.median >= target)}`,
  };
}
