/** Everything that was chosen, measured and printed as it comes. */
import { renderAllSizes } from "./all-sizes/report.ts";
import { type AllSizesResult, runAllSizes } from "./all-sizes/run.ts";
import { BOUNDED_SECONDS, DEFAULT_SECONDS, LATENCY_SECONDS, type Options } from "./arguments.ts";
import { renderCounter } from "./counter/report.ts";
import { type CounterResult, runCounter } from "./counter/run.ts";
import { renderFairness } from "./fairness/report.ts";
import { type FairnessResult, runFairness } from "./fairness/run.ts";
import { renderLatency } from "./latency/report.ts";
import { type LatencyResult, runLatency } from "./latency/run.ts";
import { renderParallel, renderScale } from "./parallel/report.ts";
import { type ParallelResult, runParallel } from "./parallel/run.ts";
import { runScale, type ScaleResult } from "./parallel/scale.ts";
import { peersLeftOut } from "./peers/list.ts";
import { renderResults } from "./report/tables.ts";
import type { Machine, Results } from "./results.ts";
import { type Result, runWorkload } from "./run.ts";
import { renderSharing } from "./sharing/report.ts";
import { runSharing, type SharingResult } from "./sharing/run.ts";
import { type BoundedResult, runBounded } from "./threads/bounded.ts";
import { renderBounded, renderThreaded } from "./threads/report.ts";
import { runThreaded, type ThreadedResult } from "./threads/run.ts";
import { runParallelVariants, runThreadedVariants, runVariants } from "./variants/run.ts";

type Print = (text: string) => void;

export async function measureAll(options: Options, where: Machine, print: Print): Promise<Results> {
  return {
    results: await measureWorkloads(options, print),
    parallel: await measureParallel(options, print),
    scale: await measureScale(options, where, print),
    threaded: await measureThreaded(options, print),
    bounded: options.bounded ? await measureBounded(options, print) : undefined,
    allSizes: options.allSizes ? await measureAllSizes(options, print) : [],
    latency: options.latency ? await measureLatency(options, print) : undefined,
    counter: options.counter ? measureCounter(options, print) : undefined,
    fairness: options.fairness ? measureFairness(options, print) : undefined,
    sharing: options.sharing ? await countSharing(options, print) : [],
  };
}

async function measureWorkloads(options: Options, print: Print): Promise<Result[]> {
  const results: Result[] = [];
  for (const workload of options.workloads) {
    const measured = await (options.variants ? runVariants : runWorkload)(workload, options);
    results.push(...measured);
    print(renderResults(workload, measured));
  }
  if (results.length > 0 && !options.variants)
    for (const { subject, why } of peersLeftOut()) print(`(no ${subject}: ${why})\n`);
  return results;
}

async function measureParallel(options: Options, print: Print): Promise<ParallelResult[]> {
  const results: ParallelResult[] = [];
  const { processes, seconds = DEFAULT_SECONDS } = options;
  for (const workload of options.parallel) {
    const run = options.variants ? runParallelVariants : runParallel;
    const measured = await run(workload, { processes, seconds });
    results.push(...measured);
    print(renderParallel(workload, measured));
  }
  return results;
}

async function measureScale(options: Options, where: Machine, print: Print): Promise<ScaleResult[]> {
  const { scale, processes, seconds = DEFAULT_SECONDS } = options;
  if (scale === undefined) return [];
  const results = await runScale({ ...scale, processes, seconds });
  print(renderScale(results, where.threads));
  return results;
}

async function measureThreaded(options: Options, print: Print): Promise<ThreadedResult[]> {
  const results: ThreadedResult[] = [];
  const { threads, processes, seconds = DEFAULT_SECONDS } = options;
  for (const workload of options.threaded) {
    const run = options.variants ? runThreadedVariants : runThreaded;
    const measured = await run(workload, { threads, processes, seconds });
    results.push(...measured);
    print(renderThreaded(workload, measured));
  }
  return results;
}

async function measureBounded(options: Options, print: Print): Promise<BoundedResult> {
  const { threads, seconds = BOUNDED_SECONDS } = options;
  const bounded = await runBounded({ threads, seconds });
  print(renderBounded(bounded));
  return bounded;
}

async function measureAllSizes(options: Options, print: Print): Promise<AllSizesResult[]> {
  const results = await runAllSizes(options);
  print(renderAllSizes(results));
  return results;
}

async function measureLatency(options: Options, print: Print): Promise<LatencyResult> {
  const { threads, processes, seconds = LATENCY_SECONDS } = options;
  const latency = await runLatency({ threads, processes, seconds });
  print(renderLatency(latency));
  return latency;
}

function measureCounter(options: Options, print: Print): CounterResult {
  const counter = runCounter(options);
  print(renderCounter(counter));
  return counter;
}

function measureFairness(options: Options, print: Print): FairnessResult {
  const fairness = runFairness(options);
  print(renderFairness(fairness));
  return fairness;
}

async function countSharing(options: Options, print: Print): Promise<SharingResult[]> {
  const sharing = await runSharing(options);
  print(renderSharing(sharing));
  return sharing;
}
