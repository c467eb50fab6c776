/** Runs workloads on changed copies of the library, each subject in child processes of its own, one at a time. */
import { answerOf, UNCHECKED } from "../answer.ts";
import type { Sample } from "../measure.ts";
import type { Measured } from "../parallel/job.ts";
import { argumentsOf, type ParallelAmount, type ParallelResult, parallelResultOf } from "../parallel/run.ts";
import type { ParallelWorkload } from "../parallel/workloads.ts";
import { type Amount, type Result, resultOf } from "../run.ts";
import { SUBJECTS } from "../subjects.ts";
import type { Workload } from "../workloads/workload.ts";
import { type Variant, variantsOf } from "./changes.ts";
import { whileProjectIsCopied } from "./copy.ts";

const OURS = SUBJECTS.filter(({ target }) => target !== undefined);

export async function runVariants(workload: Workload, { rounds, processes }: Amount): Promise<Result[]> {
  const able = OURS.filter(({ name }) => workload.contestants.some((contestant) => contestant.name === name));
  const seen = new Map<string, Sample[]>();
  await takeTurns(variantsOf(workload.name), processes, async (copy, variant) => {
    for (const { name } of able) {
      const args = [workload.name, name, String(rounds), UNCHECKED];
      const samples = await answerOf<Sample[]>(new URL("build/bench/child.js", copy), args);
      add(seen, `${name}, ${variant}`, samples);
    }
  });
  return [...seen].map(([name, samples]) => resultOf(workload, { name, target: undefined }, samples));
}

export async function runParallelVariants(
  workload: ParallelWorkload,
  { processes, seconds }: ParallelAmount,
): Promise<ParallelResult[]> {
  const able = OURS.filter(({ fixed }) => !fixed || workload.size !== undefined);
  const seen = new Map<string, number[]>();
  const right = variantsOf(workload.name).filter(({ isForOneThread }) => !isForOneThread);
  await takeTurns(right, processes, async (copy, variant) => {
    for (const { name } of able) {
      const args = [...argumentsOf(workload.name, name, seconds), UNCHECKED];
      const { times } = await answerOf<Measured>(new URL("build/bench/parallel/child.js", copy), args);
      add(seen, `${name}, ${variant}`, times);
    }
  });
  return [...seen].map(([subject, times]) =>
    parallelResultOf(workload.name, { subject, times, speedups: [] }),
  );
}

/** One copy at a time. */
async function takeTurns(
  variants: readonly Variant[],
  processes: number,
  fn: (copy: URL, variant: string) => Promise<void>,
): Promise<void> {
  for (let process = 0; process < processes; process++)
    for (const { name, changes } of variants) await whileProjectIsCopied(changes, (copy) => fn(copy, name));
}

function add<Value>(seen: Map<string, Value[]>, name: string, values: readonly Value[]): void {
  seen.set(name, [...(seen.get(name) ?? []), ...values]);
}
