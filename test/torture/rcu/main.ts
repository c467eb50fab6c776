/** `npm run torture`: see README.md. */
import { type Command, HELP, type Options, parseCommand, UsageError } from "./arguments.ts";
import { BUILT } from "./library.ts";
import { MUTANTS, plantMutant } from "./mutants.ts";
import { Progress } from "./progress.ts";
import { progressText, reportText } from "./report.ts";
import { type RunResult, run } from "./run.ts";

async function main(argv: readonly string[]): Promise<number> {
  const command = read(argv);
  if (command === undefined) return 2;
  if (command.kind === "help") process.stdout.write(HELP);
  if (command.kind === "run") return torture(command.options);
  if (command.kind === "mutants") return findMutants(command.options);
  return 0;
}

function read(argv: readonly string[]): Command | undefined {
  try {
    return parseCommand(argv, Math.floor(Math.random() * 2 ** 31));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`torture: ${error.message}`);
    return undefined;
  }
}

async function torture(options: Options): Promise<number> {
  const { seconds, threads, seed, traceImpliesRcu, json, mutant } = options;
  const settings = { seconds, threads, seed, traceImpliesRcu, mutant: mutant?.id };
  if (!json) console.log(describe(options));
  const result = await runShown(options);
  if (json) console.log(JSON.stringify({ settings, ...result }, null, 2));
  else console.log(reportText(result));
  return result.failures.length === 0 ? 0 : 1;
}

async function runShown(options: Options): Promise<RunResult> {
  const progress = new Progress(process.stderr);
  const library = options.mutant === undefined ? BUILT : plantMutant(options.mutant);
  const result = await run({ ...options, library }, (seconds, counts, pages) =>
    progress.show(seconds, () => progressText(seconds, counts, pages)),
  );
  progress.erase();
  return result;
}

/** Every mutant for up to the time given; what it takes is what it takes to find it. */
async function findMutants(options: Options): Promise<number> {
  const found = [];
  for (const mutant of MUTANTS) {
    const traceImpliesRcu = mutant.traceImpliesRcu ?? options.traceImpliesRcu;
    const { seconds, failures } = await runShown({ ...options, traceImpliesRcu, mutant });
    const [failure = ""] = failures;
    found.push({ id: mutant.id, what: mutant.what, found: failure !== "", seconds, failure });
    if (options.json) continue;
    const verdict = failure === "" ? "SURVIVED" : "found";
    console.log(`${mutant.id.padEnd(4)} ${verdict} after ${seconds.toFixed(1)} s: ${mutant.what}`);
    if (failure !== "") console.log(`     ${failure.split("\n")[0]}`);
  }
  if (options.json) console.log(JSON.stringify(found, null, 2));
  return found.every((each) => each.found) ? 0 : 1;
}

function describe({ seconds, threads, seed, traceImpliesRcu, mutant }: Options): string {
  const planted = mutant === undefined ? "" : `, with ${mutant.id} planted: ${mutant.what}`;
  return `torture: ${threads} threads, ${seconds} s, seed ${seed}, traceImpliesRcu ${traceImpliesRcu}${planted}`;
}

// a broken heap may have left something behind that would keep the process
process.exit(await main(process.argv.slice(2)));
