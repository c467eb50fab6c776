#!/usr/bin/env node
/** The program: does what the command line asks for, and ends with the exit code that says how it went. */
import { parseCommand, type ReplayOptions } from "./arguments.ts";
import { CliError, EXIT, messageOf } from "./exit.ts";
import { helpText } from "./help.ts";
import { ProgressBar } from "./progress.ts";
import { replay } from "./replay.ts";
import { faultsOf, makeReport } from "./report.ts";
import { renderTable } from "./table.ts";
import { readTrace } from "./trace-file.ts";
import { packageVersion } from "./version.ts";

const bar = new ProgressBar(process.stderr);

async function main(argv: readonly string[]): Promise<number> {
  const command = parseCommand(argv);
  switch (command.kind) {
    case "help":
      process.stdout.write(helpText(command.topic));
      return EXIT.ok;
    case "version":
      process.stdout.write(`${packageVersion()}\n`);
      return EXIT.ok;
    case "replay":
      return await replayAndPrint(command.options);
  }
}

async function replayAndPrint(options: ReplayOptions): Promise<number> {
  const trace = await readTrace(options.trace);
  const outcome = await replay(trace, options, (done, total) => bar.show(done, total));
  bar.erase();
  const report = makeReport(outcome);
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : renderTable(report));
  return faultsOf(report).length === 0 ? EXIT.ok : EXIT.failed;
}

function failWith(thrown: unknown): number {
  bar.erase();
  process.stderr.write(`sharedheap: ${messageOf(thrown).replace(/\s*\n\s*/g, " ")}\n`);
  return thrown instanceof CliError ? thrown.exitCode : EXIT.failed;
}

process.once("SIGINT", () => {
  bar.erase();
  // Stops the workers too, wherever they are.
  process.exit(EXIT.interrupted);
});

// Whoever reads our output may have had enough of it, as `head` does.
process.stdout.on("error", () => process.exit());

process.exitCode = await main(process.argv.slice(2)).catch(failWith);
