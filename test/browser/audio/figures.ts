/** What was measured in a performance, and what follows from it. */
import { type AudioThread, audioThread } from "./trace.ts";

/** What page.mjs returns. Times are microseconds by the clock word. */
export interface Performance {
  readonly started: number;
  readonly nulls: number;
  /** Notes that were freed on the page. */
  readonly freedHere: number;
  /** Objects that are still out, of each allocator. */
  readonly out: Record<string, number>;
  readonly quantumUs: number;
  /** For each quantum: in calls of the library, in all of `process`, and the number of calls. */
  readonly quanta: readonly { readonly ours: number; readonly whole: number; readonly calls: number }[];
}

export interface Figures {
  readonly performance: Performance;
  readonly collections: number;
  /** The share of each quantum that our calls took, by the clock word, ascending. */
  readonly shares: readonly number[];
  /** The same, but not more than the audio thread ran at all; undefined where the browser does not say. */
  readonly bounded: readonly number[] | undefined;
  /** The share of each quantum for which the audio thread ran, ascending; undefined where the browser does not say. */
  readonly ran: readonly number[] | undefined;
  /** The part of the quanta in which the clock word was seen to move: 0 to 1. */
  readonly clocked: number;
}

/** Without the first quantum, in which the engine compiles what runs for the first time, whoever wrote it. */
export function figuresOf(performance: Performance, trace: Buffer): Figures {
  const { quanta, quantumUs } = performance;
  const thread = audioThread(trace);
  const shares = quanta.map(({ ours }) => ours / quantumUs);
  const ran = matched(performance, thread)?.map((us) => us / quantumUs);
  return {
    performance,
    collections: thread.collections,
    shares: ascending(shares.slice(1)),
    bounded: ran && ascending(shares.map((share, i) => Math.min(share, ran[i])).slice(1)),
    ran: ran && ascending(ran.slice(1, quanta.length)),
    clocked: quanta.filter(({ whole }) => whole > 0).length / quanta.length,
  };
}

/** How long the thread ran in each quantum. The last call of `process` ends the music, and is not in the record. */
function matched({ quanta }: Performance, { ran }: AudioThread): number[] | undefined {
  const known = ran.filter((us) => us !== undefined);
  return known.length === quanta.length + 1 ? known : undefined;
}

function ascending(numbers: number[]): number[] {
  return numbers.sort((a, b) => a - b);
}

/** The share that all but a part of the quanta stay below. */
export function percentile(shares: readonly number[], part: number): number {
  return shares[Math.min(shares.length - 1, Math.floor(part * shares.length))];
}

export function countAbove(shares: readonly number[], limit: number): number {
  return shares.filter((share) => share > limit).length;
}

export function describeFigures(name: string, figures: Figures): string {
  const { performance, collections, shares, bounded, ran, clocked } = figures;
  const { quanta, started, nulls } = performance;
  const calls = quanta.reduce((sum, quantum) => sum + quantum.calls, 0);
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  const percent = (share: number | undefined): string =>
    share === undefined ? "unknown" : `${(share * 100).toFixed(2)}%`;
  const most = bounded && percentile(bounded, 1);
  return [
    `${name}: ${quanta.length} quanta, ${started} voices, ${calls} calls, ${nulls} NULLs, ${collections} collections;`,
    `calls took ${percent(mean)} of a quantum on average, 99%: ${percent(percentile(shares, 0.99))},`,
    `most: ${percent(percentile(shares, 1))} by the clock word, of which the thread ran ${percent(most)};`,
    `the clock moved in ${percent(clocked)} of the quanta;`,
    `all of process() ran for ${percent(ran && percentile(ran, 0.5))}, 99%: ${percent(ran && percentile(ran, 0.99))}`,
  ].join(" ");
}
