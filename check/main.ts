/** `npm run check`: every scenario, then every mutant. See check/README.md. */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type LongestCall, longer } from "./engine/progress.ts";
import { loadLibrary } from "./library.ts";
import { plant } from "./mutants/plant.ts";
import { MUTANTS, type Mutant } from "./mutants/table.ts";
import { unpackLibrary } from "./packed.ts";
import { newMachine, type Outcome } from "./runner/job.ts";
import { runJobs } from "./runner/pool.ts";
import { report } from "./runner/report.ts";
import { decodeToken } from "./runner/token.ts";
import { SCENARIOS } from "./scenarios/all.ts";
import type { Scenario } from "./scenarios/spec.ts";

const HELP = `npm run check -- [options]     runs the model checker over the compiled sources

  --scenario NAME   only this scenario (may be repeated), and no mutants
  --mutant ID       only this mutant (may be repeated)
  --packed          on the packed library, as people install it; no mutants
  --deep            also the scenarios that take an hour or more
  --replay TOKEN    shows the schedule that a failure's report names
  --threads N       default 2
  --json            one object on standard output
  --list            names of scenarios and mutants
  --help

Exit code 1 if a scenario fails or a mutant survives, 2 for wrong options.`;

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
const SOURCES = fileURLToPath(new URL("../src", import.meta.url));
const PLANTED = fileURLToPath(new URL("../mutants", import.meta.url));

interface ScenarioResult {
  readonly name: string;
  readonly strategy: string;
  readonly programs: number;
  readonly schedules: number;
  readonly steps: number;
  readonly exhausted: boolean;
  readonly bound: string;
  /** Which call took most steps of its own, and how many it may take. */
  readonly longestCall: LongestCall & { readonly limit: number };
  readonly failures: readonly string[];
}

interface MutantResult {
  readonly id: string;
  readonly killed: boolean;
  readonly oracle: string;
  readonly schedules: number;
  readonly ms: number;
  readonly twinExhausted: boolean;
}

interface Options {
  readonly threads: number;
  readonly json: boolean;
  readonly packed: boolean;
  /** Folder of the modules to run. */
  readonly root: string;
}

async function main(): Promise<number> {
  const values = readOptions();
  if (values === undefined) return 2;
  if (values.help) return print(HELP);
  if (values.list)
    return print(
      [
        ...SCENARIOS.map((s) => `${s.name.padEnd(20)} ${s.about}`),
        ...MUTANTS.map((m) => `${m.id.padEnd(20)} ${m.what}`),
      ].join("\n"),
    );
  if (values.replay !== undefined) return replay(values.replay);
  const packed = values.packed === true;
  const root = packed ? unpackLibrary(PROJECT) : SOURCES;
  const options = { threads: Number(values.threads), json: values.json === true, packed, root };
  const some = values.scenario !== undefined || values.mutant !== undefined;
  const scenarios = SCENARIOS.filter(({ name, deep }) =>
    some ? values.scenario?.includes(name) === true : values.deep === true || deep !== true,
  );
  const mutants = MUTANTS.filter(({ id }) => (some ? values.mutant?.includes(id) === true : !packed));
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

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        scenario: { type: "string", multiple: true },
        mutant: { type: "string", multiple: true },
        deep: { type: "boolean" },
        packed: { type: "boolean" },
        replay: { type: "string" },
        threads: { type: "string", default: "2" },
        json: { type: "boolean" },
        list: { type: "boolean" },
        help: { type: "boolean" },
      },
    });
    for (const name of values.scenario ?? [])
      known(
        "scenario",
        name,
        SCENARIOS.map((scenario) => scenario.name),
      );
    for (const id of values.mutant ?? [])
      known(
        "mutant",
        id,
        MUTANTS.map((mutant) => mutant.id),
      );
    if (!(Number(values.threads) >= 1))
      throw new Error(`--threads ${values.threads}: use a number of 1 or more`);
    return values;
  } catch (error) {
    console.error(`check: ${(error as Error).message} (see npm run check -- --help)`);
    return undefined;
  }
}

function known(what: string, name: string, names: readonly string[]): void {
  if (!names.includes(name)) throw new Error(`there is no ${what} "${name}"; there are ${names.join(", ")}`);
}

async function runScenario(scenario: Scenario, options: Options): Promise<ScenarioResult> {
  const started = performance.now();
  const parts = Array.from({ length: options.threads }, (_, first) => ({
    scenario: scenario.name,
    root: options.root,
    packed: options.packed,
    first,
    step: options.threads,
  }));
  const outcomes = await runJobs(parts, options.threads, (shares) => bar(scenario.name, Math.max(...shares)));
  const sum = (field: "programs" | "schedules" | "steps"): number =>
    outcomes.reduce((total, outcome) => total + outcome[field], 0);
  const failures = outcomes.flatMap(({ failure }) => (failure === undefined ? [] : [failure]));
  const result = {
    name: scenario.name,
    strategy: scenario.search.kind,
    programs: sum("programs"),
    schedules: sum("schedules"),
    steps: sum("steps"),
    exhausted: outcomes.every(({ exhausted }) => exhausted),
    bound: boundOf(scenario),
    longestCall: {
      ...outcomes.map(({ longestCall }) => longestCall).reduce(longer),
      limit: scenario.limits.callSteps,
    },
    failures: failures.map(({ oracle, token }) => `${oracle} ${token}`),
  };
  bar("", 1);
  say(options, `${result.name.padEnd(20)} ${scopeOf(result, outcomes, performance.now() - started)}`);
  for (const { text, token } of failures)
    say(options, `\n${text}\n\nto see it again: npm run check -- --replay ${token}\n`);
  return result;
}

function boundOf({ search, limits }: Scenario): string {
  const parts = [];
  if (search.kind === "bounded") parts.push(`${search.preemptions} preemptions`);
  if (search.kind === "pct") parts.push(`depth ${search.depth}`);
  if (limits.nested) parts.push(`${limits.nested} nested`);
  if (limits.deaths) parts.push(`${limits.deaths} deaths`);
  return parts.join(", ");
}

function scopeOf(result: ScenarioResult, outcomes: readonly Outcome[], ms: number): string {
  const { programs, schedules, steps, exhausted, bound } = result;
  const busy = outcomes.reduce((total, outcome) => total + outcome.ms, 0);
  const rate = `${(steps / 1000 / busy).toFixed(1)} M steps/s and core`;
  const what = result.failures.length > 0 ? "FAILED after" : exhausted ? "exhausted:" : "sampled:";
  const { steps: longest, limit } = result.longestCall;
  const scope = `${count(programs)} programs, ${count(schedules)} schedules, ${count(steps)} steps${bound === "" ? "" : `, ${bound}`}`;
  return `${what} ${scope}, longest call ${longest} steps of at most ${limit}; ${(ms / 1000).toFixed(1)} s, ${rate}`;
}

async function runMutants(
  mutants: readonly Mutant[],
  twins: readonly ScenarioResult[],
  options: Options,
): Promise<MutantResult[]> {
  if (mutants.length === 0) return [];
  say(options, "");
  const jobs = mutants.map((mutant) => ({
    scenario: mutant.scenario,
    root: plant(mutant, SOURCES, PLANTED),
    packed: false,
    first: 0,
    step: 1,
  }));
  const outcomes = await runJobs(jobs, options.threads, (shares) =>
    bar("mutants", shares.filter((share) => share === 1).length / jobs.length),
  );
  bar("", 1);
  return mutants.map((mutant, i) => {
    const { failure, schedules, ms } = outcomes[i];
    const twin = twins.find(({ name }) => name === mutant.scenario);
    const killed = failure?.oracle === mutant.oracle;
    const seen =
      failure === undefined
        ? "SURVIVED"
        : killed
          ? "killed"
          : `SURVIVED: ${failure.oracle} instead of ${mutant.oracle}`;
    say(
      options,
      `${mutant.id.padEnd(4)} ${seen} by ${mutant.oracle}, ${count(schedules)} schedules of ${mutant.scenario}, ` +
        `${Math.round(ms)} ms${twinText(twin)}: ${mutant.what}`,
    );
    return {
      id: mutant.id,
      killed,
      oracle: mutant.oracle,
      schedules,
      ms: Math.round(ms),
      twinExhausted: twin?.exhausted ?? false,
    };
  });
}

function twinText(twin: ScenarioResult | undefined): string {
  if (twin === undefined) return "";
  if (twin.failures.length > 0) return ", its twin FAILS";
  return `, its twin ${twin.exhausted ? "exhausted" : "sampled"}${twin.bound === "" ? "" : ` with ${twin.bound}`}`;
}

async function replay(text: string): Promise<number> {
  const { scenario: name, program, deviations } = decodeToken(text);
  const scenario = SCENARIOS.find((candidate) => candidate.name === name);
  if (scenario === undefined) throw new Error(`the token names a scenario "${name}" that is not there`);
  const ready = scenario.prepare(await loadLibrary(SOURCES));
  const machine = newMachine(scenario, ready.prepared);
  return print(report(machine, ready.program(program), deviations));
}

function count(n: number): string {
  return n.toLocaleString("en");
}

function say({ json }: Options, line: string): void {
  if (!json) console.log(line);
}

function print(text: string): number {
  console.log(text);
  return 0;
}

/** A bar on the terminal's last line; nothing elsewhere. */
function bar(name: string, share: number): void {
  if (!process.stderr.isTTY) return;
  const line =
    name === ""
      ? ""
      : `${name} ${"#".repeat(Math.round(share * 30)).padEnd(30, ".")} ${Math.round(share * 100)} %`;
  process.stderr.write(`\r\x1b[K${line}`);
}

process.exitCode = await main();
