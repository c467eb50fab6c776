/** Runs workloads of one thread, each subject in child processes of its own, one at a time. */
import { answerOf } from "./answer.ts";
import type { Sample } from "./measure.ts";
import { type Spread, spreadOf } from "./statistics.ts";
import type { Contestant, Workload } from "./workloads/workload.ts";

/** A subject on a workload. Times are nanoseconds per operation. */
export interface Result {
  readonly workload: string;
  readonly subject: string;
  readonly rounds: number;
  readonly time: Spread;
  /** Of the reference, in the same rounds. */
  readonly reference: Spread;
  /** Of the ratios of each round. */
  readonly ratio: Spread;
  readonly target?: number;
  readonly met?: boolean;
}

const CHILD = new URL("child.js", import.meta.url);

/** How much to measure. */
export interface Amount {
  /** Measurements in each process. */
  readonly rounds: number;
  /** Processes for each subject. */
  readonly processes: number;
}

/** All subjects of a workload, their processes taking turns. */
export async function runWorkload(workload: Workload, { rounds, processes }: Amount): Promise<Result[]> {
  const subjects = workload.contestants.map((contestant) => ({ contestant, samples: [] as Sample[] }));
  for (let process = 0; process < processes; process++) {
    for (const { contestant, samples } of subjects) {
      const args = [workload.name, contestant.name, String(rounds)];
      samples.push(...(await answerOf<Sample[]>(CHILD, args)));
    }
  }
  return subjects.map(({ contestant, samples }) => resultOf(workload, contestant, samples));
}

export function resultOf(
  workload: Workload,
  subject: Pick<Contestant, "name" | "target">,
  samples: readonly Sample[],
): Result {
  const ratio = spreadOf(samples.map((sample) => sample.subject / sample.reference));
  const { target } = subject;
  return {
    workload: workload.name,
    subject: subject.name,
    rounds: samples.length,
    time: spreadOf(samples.map((sample) => sample.subject)),
    reference: spreadOf(samples.map((sample) => sample.reference)),
    ratio,
    ...(target === undefined ? {} : { target, met: ratio.median <= target }),
  };
}
