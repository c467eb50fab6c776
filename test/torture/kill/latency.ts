/** How long the survivors' calls took while threads died, against how long while others died that use another heap. */
import { merged, quantileOf, type Recorded, totalOf } from "../../../bench/latency/histogram.ts";

/** What goes on by turns: threads of this heap die; as many threads of another one do. */
export const PHASES = ["deaths", "control"] as const;
/** How much longer a call may take, at P999. */
export const MAX_RATIO = 1.5;
const P999 = 0.999;

export interface Latency {
  /** Calls in each phase. */
  readonly calls: readonly number[];
  /** Nanoseconds that 99.9 of 100 calls took no longer than. */
  readonly p999: readonly number[];
  readonly p50: readonly number[];
  /** The first p999 by the second. */
  readonly ratio: number;
}

/** `times`: of each survivor, of each phase. */
export function compare(times: readonly (readonly Recorded[])[]): Latency {
  const all = PHASES.map((_, phase) => merged(times.map((ofThread) => ofThread[phase])));
  const p999 = all.map((each) => quantileOf(each, P999));
  return {
    calls: all.map(totalOf),
    p50: all.map((each) => quantileOf(each, 0.5)),
    p999,
    ratio: p999[0] / p999[1],
  };
}
