/** Two loops that took turns, as people read what they took. */
import type { Spread } from "./statistics.ts";
import { align, table } from "./table.ts";

export interface Pair {
  readonly name: string;
  readonly what: string;
  /** What the first column says of both. */
  readonly head: string;
  /** What each one is, and nanoseconds of its operations. */
  readonly loops: readonly (readonly [string, Spread])[];
  readonly verdict: string;
}

/** For a terminal. */
export function renderPair({ name, what, loops, verdict }: Pair): string {
  return `${[`${name}: ${what}`, ...align(loops.map(row), [0]), `  ${verdict}`].join("\n")}\n`;
}

/** As Markdown. */
export function pairTable({ name, head, loops, verdict }: Pair): string[] {
  return [
    `${name}, ${verdict}:`,
    "",
    ...table([head, "ns", "middle half"], ["---", "--:", "---"], loops.map(row)),
  ];
}

/** What is said of a target. */
export function metOrMissed(isMet: boolean): string {
  return `${isMet ? "met" : "missed"} on this machine`;
}

function row([subject, { median, low, high }]: readonly [string, Spread]): string[] {
  return [subject, median.toFixed(2), `${low.toFixed(2)} to ${high.toFixed(2)}`];
}
