/** `npm run bench`: runs the workloads and prints, or saves, what came out. */
import { relative } from "node:path";
import { argv, cwd } from "node:process";
import { HELP, type Options, parseCommand, UsageError } from "./arguments.ts";
import { renderReport, renderResults } from "./report.ts";
import { machine, renderJson, runOf, savedRuns, saveRun } from "./results.ts";
import { type Result, runWorkload } from "./run.ts";
import { WORKLOADS } from "./workloads/list.ts";

const EXIT_USAGE = 2;

async function main(args: readonly string[]): Promise<void> {
  const command = parseCommand(args);
  switch (command.kind) {
    case "help":
      process.stdout.write(HELP);
      return;
    case "list":
      for (const { name, what } of WORKLOADS) process.stdout.write(`${name.padEnd(8)}  ${what}\n`);
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
  const results: Result[] = [];
  for (const workload of options.workloads) {
    const measured = await runWorkload(workload, options);
    results.push(...measured);
    if (!options.json) process.stdout.write(renderResults(workload, measured));
  }
  const done = runOf(command, where, results);
  if (options.json) process.stdout.write(renderJson(done));
  if (!options.save) return;
  const path = saveRun(done, options.chosen ? options.workloads.map(({ name }) => name) : []);
  process.stderr.write(`bench: saved in ${relative(cwd(), path)}\n`);
}

function failWith(error: unknown): void {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof UsageError ? EXIT_USAGE : 1;
}

await main(argv.slice(2)).catch(failWith);
