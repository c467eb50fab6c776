/** `npm run bench`: runs the workloads and prints, or saves, what came out. */
import { relative } from "node:path";
import { argv, cwd } from "node:process";
import {
  BOUNDED_SECONDS,
  DEFAULT_SECONDS,
  HELP,
  type Options,
  parseCommand,
  UsageError,
} from "./arguments.ts";
import { renderReport, renderResults } from "./report.ts";
import { machine, renderJson, runOf, savedRuns, saveRun } from "./results.ts";
import { type Result, runWorkload } from "./run.ts";
import { BOUNDED, runBounded } from "./threads/bounded.ts";
import { renderBounded, renderThreaded } from "./threads/report.ts";
import { runThreaded, type ThreadedResult } from "./threads/run.ts";
import { THREADED } from "./threads/workloads.ts";
import { WORKLOADS } from "./workloads/list.ts";

const EXIT_USAGE = 2;

async function main(args: readonly string[]): Promise<void> {
  const command = parseCommand(args);
  switch (command.kind) {
    case "help":
      process.stdout.write(HELP);
      return;
    case "list":
      for (const { name, what } of [...WORKLOADS, ...THREADED, BOUNDED])
        process.stdout.write(`${name.padEnd(9)}  ${what}\n`);
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
  const print = (text: string) => options.json || process.stdout.write(text);
  const results: Result[] = [];
  const threaded: ThreadedResult[] = [];
  const { threads, processes, seconds = DEFAULT_SECONDS } = options;
  for (const workload of options.workloads) {
    const measured = await runWorkload(workload, options);
    results.push(...measured);
    print(renderResults(workload, measured));
  }
  for (const workload of options.threaded) {
    const measured = await runThreaded(workload, { threads, processes, seconds });
    threaded.push(...measured);
    print(renderThreaded(workload, measured));
  }
  const bounded = options.bounded
    ? await runBounded({ threads, seconds: options.seconds ?? BOUNDED_SECONDS })
    : undefined;
  if (bounded !== undefined) print(renderBounded(bounded));
  const done = runOf(command, where, { results, threaded, bounded });
  if (options.json) process.stdout.write(renderJson(done));
  if (!options.save) return;
  const path = saveRun(done, options.chosen);
  process.stderr.write(`bench: saved in ${relative(cwd(), path)}\n`);
}

function failWith(error: unknown): void {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof UsageError ? EXIT_USAGE : 1;
}

await main(argv.slice(2)).catch(failWith);
