/** `npm run bench`: runs the workloads and prints, or saves, what came out. */
import { relative } from "node:path";
import { argv, cwd } from "node:process";
import { renderAllSizes } from "./all-sizes/report.ts";
import { type AllSizesResult, runAllSizes, wrongNulls } from "./all-sizes/run.ts";
import {
  ALL,
  BOUNDED_SECONDS,
  DEFAULT_SECONDS,
  HELP,
  LATENCY_SECONDS,
  type Options,
  parseCommand,
  UsageError,
} from "./arguments.ts";
import { renderCounter } from "./counter/report.ts";
import { type CounterResult, runCounter } from "./counter/run.ts";
import { renderFairness } from "./fairness/report.ts";
import { type FairnessResult, runFairness } from "./fairness/run.ts";
import { renderLatency } from "./latency/report.ts";
import { type LatencyResult, runLatency } from "./latency/run.ts";
import { renderReport, renderResults } from "./report.ts";
import { machine, type Results, renderJson, runOf, savedRuns, saveRun } from "./results.ts";
import { type Result, runWorkload } from "./run.ts";
import { renderSharing } from "./sharing/report.ts";
import { runSharing, type SharingResult } from "./sharing/run.ts";
import { type BoundedResult, runBounded } from "./threads/bounded.ts";
import { renderBounded, renderThreaded } from "./threads/report.ts";
import { runThreaded, type ThreadedResult } from "./threads/run.ts";

const EXIT_USAGE = 2;

type Print = (text: string) => void;

async function main(args: readonly string[]): Promise<void> {
  const command = parseCommand(args);
  switch (command.kind) {
    case "help":
      process.stdout.write(HELP);
      return;
    case "list":
      for (const { name, what } of ALL) process.stdout.write(`${name.padEnd(9)}  ${what}\n`);
      return;
    case "report":
      process.stdout.write(renderReport(savedRuns()) || "Nothing is saved; --save does it.\n");
      return;
    case "run":
      await run(command.options, ["npm run bench --", ...args].join(" "));
  }
}

async function run(options: Options, command: string): Promise<void> {
  const where = machine();
  const results = await measureAll(options, (text) => options.json || process.stdout.write(text));
  const done = runOf(command, where, results);
  if (options.json) process.stdout.write(renderJson(done));
  if (options.save) {
    const path = saveRun(done, options.chosen);
    process.stderr.write(`bench: saved in ${relative(cwd(), path)}\n`);
  }
  const wrong = wrongNulls(results.allSizes);
  if (wrong.length > 0) throw new Error(wrong.join("\nbench: "));
}

/** Everything that was chosen, printed as it comes. */
async function measureAll(options: Options, print: Print): Promise<Results> {
  return {
    results: await measureWorkloads(options, print),
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
    const measured = await runWorkload(workload, options);
    results.push(...measured);
    print(renderResults(workload, measured));
  }
  return results;
}

async function measureThreaded(options: Options, print: Print): Promise<ThreadedResult[]> {
  const results: ThreadedResult[] = [];
  const { threads, processes, seconds = DEFAULT_SECONDS } = options;
  for (const workload of options.threaded) {
    const measured = await runThreaded(workload, { threads, processes, seconds });
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

function failWith(error: unknown): void {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof UsageError ? EXIT_USAGE : 1;
}

await main(argv.slice(2)).catch(failWith);
