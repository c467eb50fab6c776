/** Runs workloads on changed copies of the library, each subject in child processes of its own, one at a time. */
import { answerOf, UNCHECKED } from "../answer.ts";
import type { Sample } from "../measure.ts";
import type { Measured } from "../parallel/job.ts";
import { argumentsOf, type ParallelAmount, type ParallelResult, parallelResultOf } from "../parallel/run.ts";
import type { ParallelWorkload } from "../parallel/workloads.ts";
import { type Amount, type Result, resultOf } from "../run.ts";
import { SUBJECTS } from "../subjects.ts";
import { CALLBACKS, POOL, SUBJECTS as THREADED_SUBJECTS } from "../threads/elements.ts";
import type { Measured as Measurements } from "../threads/job.ts";
import { measureRound, type ThreadedAmount, type ThreadedResult, threadedResultOf } from "../threads/run.ts";
import type { ThreadedWorkload } from "../threads/workloads.ts";
import type { Workload } from "../workloads/workload.ts";
import { type Variant, variantsOf } from "./changes.ts";
import { whileProjectIsCopied } from "./copy.ts";

/** Whose variants those of elements under readers are. */
const MEM_CACHE = { name: "MemCache" };
/** Without readers, for which there may be no processor, and without closures, which are nested. */
const THREADED = THREADED_SUBJECTS.filter(({ name, readers }) => readers === 0 && name !== CALLBACKS);

export async function runVariants(workload: Workload, { rounds, processes }: Amount): Promise<Result[]> {
  const able = SUBJECTS.filter(({ name }) => workload.contestants.some((each) => each.name === name));
  const seen = new Map<string, Sample[]>();
  const variants = (subject: string) => variantsOf(workload.name, subject);
  await takeTurns(processes, able, variants, async (copy, subject, variant) => {
    const args = [workload.name, subject, String(rounds), UNCHECKED];
    const samples = await answerOf<Sample[]>(new URL("build/bench/child.js", copy), args);
    add(seen, `${subject}, ${variant.name}`, samples);
  });
  return [...seen].map(([name, samples]) => resultOf(workload, { name, target: undefined }, samples));
}

export async function runParallelVariants(
  workload: ParallelWorkload,
  { processes, seconds }: ParallelAmount,
): Promise<ParallelResult[]> {
  const able = SUBJECTS.filter(({ fixed }) => !fixed || workload.size !== undefined);
  const seen = new Map<string, number[]>();
  const variants = (subject: string) => forSeveral(variantsOf(workload.name, subject));
  await takeTurns(processes, able, variants, async (copy, subject, variant) => {
    const args = [...argumentsOf(workload.name, subject, seconds), UNCHECKED];
    const { times } = await answerOf<Measured>(new URL("build/bench/parallel/child.js", copy), args);
    add(seen, `${subject}, ${variant.name}`, times);
  });
  return [...seen].map(([subject, times]) =>
    parallelResultOf(workload.name, { subject, times, speedups: [] }),
  );
}

/** All of them in each copy, the pool too, since that is what the others of that copy are compared with. */
export async function runThreadedVariants(
  workload: ThreadedWorkload,
  amount: ThreadedAmount,
): Promise<ThreadedResult[]> {
  const seen = new Map<string, Map<string, Measurements>[]>();
  const variants = (subject: string) => forSeveral(variantsOf(workload.name, subject));
  await takeTurns(amount.processes, [MEM_CACHE], variants, async (copy, _, variant) => {
    add(seen, variant.name, [await measureRound(workload, THREADED, amount, copy)]);
  });
  const freed = THREADED.filter(({ name }) => name !== POOL);
  return [...seen].flatMap(([variant, rounds]) =>
    freed.map(({ name }) => ({
      ...threadedResultOf(workload.name, name, amount.threads, rounds),
      subject: `${name}, ${variant}`,
    })),
  );
}

function forSeveral(variants: readonly Variant[]): readonly Variant[] {
  return variants.filter(({ isForOneThread }) => !isForOneThread);
}

/** One copy at a time. */
async function takeTurns(
  processes: number,
  subjects: readonly { readonly name: string }[],
  variants: (subject: string) => readonly Variant[],
  fn: (copy: URL, subject: string, variant: Variant) => Promise<void>,
): Promise<void> {
  for (let process = 0; process < processes; process++)
    for (const { name } of subjects)
      for (const variant of variants(name))
        await whileProjectIsCopied(variant.changes, (copy) => fn(copy, name, variant));
}

function add<Value>(seen: Map<string, Value[]>, name: string, values: readonly Value[]): void {
  seen.set(name, [...(seen.get(name) ?? []), ...values]);
}
