/** What an attack costs the others, as people read it. */
import type { Spread } from "../statistics.ts";
import { align, table } from "../table.ts";
import { FAIRNESS, type FairnessResult } from "./run.ts";

const NAMES = ["beside", "ns", "middle half"];

/** For a terminal. */
export function renderFairness(result: FairnessResult): string {
  return `${[`${FAIRNESS.name}: ${FAIRNESS.what}`, ...align(rows(result), [0]), `  ${verdict(result)}`].join("\n")}\n`;
}

/** As Markdown. */
export function fairnessTables(result: FairnessResult | undefined): string[][] {
  if (result === undefined) return [];
  return [
    [`${FAIRNESS.name}, ${verdict(result)}:`, "", ...table(NAMES, ["---", "--:", "---"], rows(result))],
  ];
}

function rows({ attacked, control }: FairnessResult): string[][] {
  return [row("an attack", attacked), row("a busy thread", control)];
}

function row(beside: string, { median, low, high }: Spread): string[] {
  return [beside, median.toFixed(2), `${low.toFixed(2)} to ${high.toFixed(2)}`];
}

function verdict({ share, target, nulls, refused }: FairnessResult): string {
  const met = share.median >= target ? "met" : "missed";
  return (
    `${nulls} NULLs; ${share.median.toFixed(2)} of the speed, target: at least ${target}, ${met} on this machine; ` +
    `${refused} thousand allocations of the attacker refused`
  );
}
