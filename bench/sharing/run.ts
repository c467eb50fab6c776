/** What CPUs share: a child process counts, on the build that the model checker runs. */
import { answerOf } from "../answer.ts";

export const SHARING = {
  name: "sharing",
  what: "no times: how many lines go from one CPU to another per operation, with 2 to 16 CPUs",
};
/** CPUs of the heaps. */
export const CPU_COUNTS: readonly number[] = [2, 4, 8, 16];
/** Operations of each CPU that are counted, for each round that is asked for. */
const OPERATIONS_A_ROUND = 50;

/** How often a line had to come from another CPU, or to be taken away from others. */
export interface Transfers {
  /** For a read: another CPU had written to it. */
  reads: number;
  /** For a write: another CPU had it. */
  writes: number;
  /** Of both: because of another word of the line. */
  apart: number;
}

/** A workload on so many CPUs; all per operation. */
export interface SharingResult {
  readonly workload: string;
  readonly subject: string;
  readonly cpus: number;
  readonly operations: number;
  readonly transfers: number;
  /** By what lies there, the most first. */
  readonly places: readonly (Transfers & { readonly place: string })[];
}

export function runSharing({ rounds }: { rounds: number }): Promise<SharingResult[]> {
  const args = [String(rounds * OPERATIONS_A_ROUND), ...CPU_COUNTS.map(String)];
  return answerOf(new URL("child.js", import.meta.url), args, ["--conditions=check"]);
}
