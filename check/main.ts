/** `npm run check`: every scenario, then every mutant. See check/README.md. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadLibrary } from "./library.ts";
import { MUTANTS } from "./mutants/table.ts";
import { HELP, readOptions, type Values } from "./options.ts";
import { observeViews, unpackLibrary } from "./packed.ts";
import { say } from "./runner/console.ts";
import { readFinding, searchAgain } from "./runner/found.ts";
import { newMachine } from "./runner/machines.ts";
import { runMutants } from "./runner/mutants.ts";
import { report } from "./runner/report.ts";
import { type RunOptions, runScenario } from "./runner/scenarios.ts";
import { decodeToken } from "./runner/token.ts";
import { SCENARIOS } from "./scenarios/all.ts";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
const SOURCES = fileURLToPath(new URL("../src", import.meta.url));
const FOUND = join(PROJECT, "check", "found");

async function main(): Promise<number> {
  const values = readOptions();
  if (values === undefined) return 2;
  if (values.help) return print(HELP);
  if (values.list) return list();
  const options = runOptions(values);
  if (values.replay !== undefined) return replay(values.replay, options);
  if (values.again !== undefined) return again(values.again, options);
  return runAll(values, options);
}

function runOptions(values: Values): RunOptions {
  const packed = values.packed === true;
  return {
    threads: Number(values.threads),
    json: values.json === true,
    packed,
    root: values.root ?? (packed ? unpackLibrary(PROJECT) : SOURCES),
    found: values.found ?? (values.root === undefined ? FOUND : undefined),
  };
}

async function runAll(values: Values, options: RunOptions): Promise<number> {
  const some = values.scenario !== undefined || values.mutant !== undefined;
  const scenarios = SCENARIOS.filter(({ name, deep }) =>
    some ? values.scenario?.includes(name) === true : values.deep === true || deep !== true,
  );
  const mutants = MUTANTS.filter(({ id }) => (some ? values.mutant?.includes(id) === true : !options.packed));
  const results = [];
  for (const scenario of scenarios) results.push(await runScenario(scenario, options));
  const table = await runMutants(mutants, results, options);
  if (options.json) console.log(JSON.stringify({ scenarios: results, mutants: table }, null, 2));
  const failed = results.filter(({ failures }) => failures.length > 0).length;
  const alive = table.filter(({ killed }) => !killed).length;
  say(
    options,
    `\n${results.length - failed} scenarios clean, ${failed} failed; ${table.length - alive} mutants killed, ${alive} survived`,
  );
  return failed + alive === 0 ? 0 : 1;
}

async function replay(text: string, options: RunOptions): Promise<number> {
  const { scenario: name, program, deviations } = decodeToken(text);
  const scenario = SCENARIOS.find((candidate) => candidate.name === name);
  if (scenario === undefined) throw new Error(`the token names a scenario "${name}" that is not there`);
  if (options.packed) observeViews();
  const ready = scenario.prepare(await loadLibrary(options.root));
  const machine = newMachine(scenario, ready.prepared);
  return print(report(machine, ready.program(program), deviations));
}

/** Searches earlier findings once more. */
async function again(paths: readonly string[], options: RunOptions): Promise<number> {
  if (options.packed) observeViews();
  const library = await loadLibrary(options.root);
  const results = [];
  for (const path of paths) {
    const problem = problemWith(() => searchAgain(library, readFinding(path)));
    results.push({ path, problem });
    say(options, `${path}: ${problem ?? "clean"}`);
  }
  if (options.json) console.log(JSON.stringify({ findings: results }, null, 2));
  return results.every(({ problem }) => problem === undefined) ? 0 : 1;
}

function problemWith(run: () => { oracle: string; message: string } | undefined): string | undefined {
  try {
    const violation = run();
    return violation && `${violation.oracle}: ${violation.message}`;
  } catch (error) {
    return (error as Error).message;
  }
}

function list(): number {
  const lines = [
    ...SCENARIOS.map(({ name, about }) => `${name.padEnd(20)} ${about}`),
    ...MUTANTS.map(({ id, what }) => `${id.padEnd(20)} ${what}`),
  ];
  return print(lines.join("\n"));
}

function print(text: string): number {
  console.log(text);
  return 0;
}

process.exitCode = await main();
