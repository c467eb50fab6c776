/** What an attack costs the others, as people read it. */
import { metOrMissed, type Pair, pairTable, renderPair } from "../pair-report.ts";
import { FAIRNESS, type FairnessResult } from "./run.ts";

/** For a terminal. */
export function renderFairness(result: FairnessResult): string {
  return renderPair(pairOf(result));
}

/** As Markdown. */
export function fairnessTables(result: FairnessResult | undefined): string[][] {
  return result === undefined ? [] : [pairTable(pairOf(result))];
}

function pairOf({ share, target, nulls, refused, attacked, control }: FairnessResult): Pair {
  return {
    ...FAIRNESS,
    head: "beside",
    loops: [
      ["an attack", attacked],
      ["a busy thread", control],
    ],
    verdict:
      `${nulls} NULLs; ${share.median.toFixed(2)} of the speed, target: at least ${target}, ` +
      `${metOrMissed(share.median >= target)}; ${refused} thousand allocations of the attacker refused`,
  };
}
