/** `npm run torture -- --groups`: see README.md. */
import { UsageError } from "../rcu/arguments.ts";
import { BUILT } from "../rcu/library.ts";
import { HELP, type Options, parseOptions } from "./arguments.ts";
import { plantMutant } from "./mutants.ts";
import { progressText, reportText } from "./report.ts";
import { type RunResult, run } from "./run.ts";

/** Seconds between lines that say how far it is. */
const PROGRESS_SECONDS = 10;

async function main(argv: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(argv, Math.floor(Math.random() * 2 ** 31));
    if (options === undefined) process.stdout.write(HELP);
    else if (options.mutants.length > 0) return await findMutants(options);
    else return await torture(options);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`torture: ${error.message}`);
    return 2;
  }
}

async function torture(options: Options): Promise<number> {
  const { seconds, threads, seed, json } = options;
  if (!json) console.log(`torture of groups: ${threads} threads, ${seconds} s, seed ${seed}`);
  const result = await runShown(options, BUILT);
  if (json) console.log(JSON.stringify({ settings: { seconds, threads, seed }, ...result }, null, 2));
  else console.log(reportText(result));
  return result.failures.length === 0 ? 0 : 1;
}

/** Each for up to the time given; what it takes is what it takes to find it. */
async function findMutants(options: Options): Promise<number> {
  const found = [];
  for (const mutant of options.mutants) {
    const { seconds, failures } = await runShown(options, plantMutant(mutant));
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

function runShown({ seconds, threads, seed }: Options, library: string): Promise<RunResult> {
  let next = PROGRESS_SECONDS;
  return run({ seconds, threads, seed, library }, (at, counts) => {
    if (at < next) return;
    next = at + PROGRESS_SECONDS;
    process.stderr.write(`${progressText(at, counts)}\n`);
  });
}

// a broken heap may have left something behind that would keep the process
process.exit(await main(process.argv.slice(2)));
