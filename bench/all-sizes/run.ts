/** Runs the workload, each subject in processes of its own, one at a time, and says what is wrong with its figures. */
import { answerOf } from "../answer.ts";
import type { Amount } from "../run.ts";
import { type Spread, spreadOf } from "../statistics.ts";
import type { Measured } from "./child.ts";
import { BUCKETS, type Bucket, isNullWrong, SUBJECTS, type Subject, subjectName } from "./subjects.ts";

export const ALL_SIZES = {
  name: "all-sizes",
  what: "MemAlloc: allocate 32 KiB of objects in one go, 128 at most, free them; every bucket, every context",
};

/** A subject in a bucket. */
export interface AllSizesResult extends Subject {
  readonly unit: number;
  readonly objects: number;
  readonly allocations: number;
  readonly nulls: number;
  readonly rounds: number;
  /** Nanoseconds for an object that comes and goes, with all deferred work that follows. */
  readonly time: Spread;
  /** Of the plain list's time in the same rounds. */
  readonly ratio: Spread;
}

const CHILD = new URL("child.js", import.meta.url);

/** All subjects, their processes taking turns. */
export async function runAllSizes({ rounds, processes }: Amount): Promise<AllSizesResult[]> {
  const answers = SUBJECTS.map((): Measured[][] => []);
  for (let process = 0; process < processes; process++) {
    for (const [index, all] of answers.entries())
      all.push(await answerOf<Measured[]>(CHILD, [String(index), String(rounds)]));
  }
  return SUBJECTS.flatMap((subject, index) =>
    BUCKETS.map((bucket, at) =>
      allSizesResultOf(
        subject,
        bucket,
        answers[index].map((answer) => answer[at]),
      ),
    ),
  );
}

export function allSizesResultOf(
  { context, isReserved }: Subject,
  { unit, objects }: Bucket,
  answers: readonly Measured[],
): AllSizesResult {
  const samples = answers.flatMap((answer) => answer.samples);
  return {
    context,
    isReserved,
    unit,
    objects,
    allocations: sum(answers.map(({ allocations }) => allocations)),
    nulls: sum(answers.map(({ nulls }) => nulls)),
    rounds: samples.length,
    time: spreadOf(samples.map(({ subject }) => subject)),
    ratio: spreadOf(samples.map(({ subject, reference }) => subject / reference)),
  };
}

/** One line for each NULL that may not be: in task context, and within what was reserved. */
export function wrongNulls(results: readonly AllSizesResult[]): string[] {
  return results
    .filter((result) => result.nulls > 0 && isNullWrong(result))
    .map(
      (result) =>
        `${ALL_SIZES.name}: ${result.nulls} of ${result.allocations} allocations of unit ${result.unit} ` +
        `returned NULL (${subjectName(result)})`,
    );
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, each) => total + each, 0);
}
