/** `npm run torture -- --kill N`: see README.md. */

import { UsageError } from "../rcu/arguments.ts";
import { BUILT } from "../rcu/library.ts";
import { plantMutant } from "../rcu/mutants.ts";
import { Progress } from "../rcu/progress.ts";
import { HELP, type Options, parseOptions } from "./arguments.ts";
import { progressText, reportText } from "./report.ts";
import { run } from "./run.ts";

async function main(argv: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(argv, Math.floor(Math.random() * 2 ** 31));
    if (options !== undefined) return await torture(options);
    process.stdout.write(HELP);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`torture: ${error.message}`);
    return 2;
  }
}

async function torture({ deaths, seed, json, mutant }: Options): Promise<number> {
  const settings = { deaths, seed, mutant: mutant?.id };
  const planted = mutant === undefined ? "" : `, with ${mutant.id} planted: ${mutant.what}`;
  if (!json) console.log(`torture: ${deaths} deaths, seed ${seed}${planted}`);
  const library = mutant === undefined ? BUILT : plantMutant(mutant);
  const progress = new Progress(process.stderr);
  const result = await run({ deaths, seed, library }, (seconds, dead) =>
    progress.show(seconds, () => progressText(seconds, dead, deaths)),
  );
  progress.erase();
  if (json) console.log(JSON.stringify({ settings, ...result }, null, 2));
  else console.log(reportText(result));
  return result.failures.length === 0 ? 0 : 1;
}

// a broken heap may have left something behind that would keep the process
process.exit(await main(process.argv.slice(2)));
