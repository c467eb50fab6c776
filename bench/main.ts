/** `npm run bench`: runs the workloads and prints, or saves, what came out. */
import { relative } from "node:path";
import { argv, cwd } from "node:process";
import { wrongNulls } from "./all-sizes/run.ts";
import { ALL, type Options, parseCommand, UsageError } from "./arguments.ts";
import { HELP } from "./help.ts";
import { measureAll } from "./measure-all.ts";
import { drawingsOf, writeDrawings } from "./report/charts.ts";
import { renderReport, writeDocuments } from "./report/documents.ts";
import { machine, renderJson, runOf, savedRuns, saveRun } from "./results.ts";

const EXIT_USAGE = 2;

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
      report(command.results, command.write);
      return;
    case "run":
      await run(command.options, ["npm run bench --", ...args].join(" "));
  }
}

async function run(options: Options, command: string): Promise<void> {
  const where = machine();
  const results = await measureAll(options, where, (text) => options.json || process.stdout.write(text));
  const done = runOf(command, where, results);
  if (options.json) process.stdout.write(renderJson(done));
  if (options.save) say(`saved in ${relative(cwd(), saveRun(done, options.results))}`);
  const wrong = wrongNulls(results.allSizes);
  if (wrong.length > 0) throw new Error(wrong.join("\nbench: "));
}

function report(folder: string, isWritten: boolean): void {
  const runs = savedRuns(folder);
  process.stdout.write(`${renderReport(runs, relative(cwd(), folder))}\n`);
  writeDrawings(runs.flatMap(drawingsOf), folder);
  if (isWritten) for (const path of writeDocuments(runs)) say(`rewrote ${path}`);
}

function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}

function failWith(error: unknown): void {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = error instanceof UsageError ? EXIT_USAGE : 1;
}

await main(argv.slice(2)).catch(failWith);
