/** Runs workloads, each subject in child processes of its own, one at a time. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Sample } from "./measure.ts";
import { type Spread, spreadOf } from "./statistics.ts";
import { subjectsOf, targetOf } from "./subjects.ts";
import type { Workload } from "./workloads/workload.ts";

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

const CHILD = fileURLToPath(new URL("child.js", import.meta.url));

/** How much to measure. */
export interface Amount {
  /** Measurements in each process. */
  readonly rounds: number;
  /** Processes for each subject. */
  readonly processes: number;
}

/** All subjects of a workload, their processes taking turns. */
export async function runWorkload(workload: Workload, { rounds, processes }: Amount): Promise<Result[]> {
  const subjects = subjectsOf(workload).map(({ name }) => ({ name, samples: [] as Sample[] }));
  for (let process = 0; process < processes; process++) {
    for (const { name, samples } of subjects) samples.push(...(await runChild(workload.name, name, rounds)));
  }
  return subjects.map(({ name, samples }) => resultOf(workload.name, name, samples));
}

async function runChild(workload: string, subject: string, rounds: number): Promise<Sample[]> {
  // no flags of ours: they would change how the child runs
  const child = fork(CHILD, [workload, subject, String(rounds)], { execArgv: [] });
  let samples: Sample[] | undefined;
  child.on("message", (message) => {
    samples = message as Sample[];
  });
  const [code, signal] = await once(child, "exit");
  if (samples !== undefined && code === 0) return samples;
  throw new Error(`${workload} on ${subject} failed (${signal ?? `exit code ${code}`})`);
}

export function resultOf(workload: string, subject: string, samples: readonly Sample[]): Result {
  const ratio = spreadOf(samples.map((sample) => sample.subject / sample.reference));
  const target = targetOf(workload, subject);
  return {
    workload,
    subject,
    rounds: samples.length,
    time: spreadOf(samples.map((sample) => sample.subject)),
    reference: spreadOf(samples.map((sample) => sample.reference)),
    ratio,
    ...(target === undefined ? {} : { target, met: ratio.median <= target }),
  };
}
