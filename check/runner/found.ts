/**
 * Findings: programs that once failed, each in a file of its own, searched again by the tests from then on. A token
 * goes stale with the next change of the code, so what is kept is the program, by the names of its calls, and what is
 * repeated is the whole search of it.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Program } from "../engine/scenario.ts";
import type { Violation } from "../engine/violation.ts";
import type { Library } from "../library.ts";
import { SCENARIOS } from "../scenarios/all.ts";
import type { Ready, Scenario, Search } from "../scenarios/spec.ts";
import { type Deviation, execute, Replay } from "../strategies/replay.ts";
import { newMachine } from "./machines.ts";
import { search } from "./search.ts";
import { decodeToken } from "./token.ts";

export interface Finding {
  readonly scenario: string;
  /** See textOf. */
  readonly program: string;
  readonly oracle: string;
  readonly message: string;
  /** The schedule, for the code as it was then. */
  readonly token: string;
}

/** Where a search samples, this many schedules of the one program. */
const SAMPLES = 2000;

/** "alloc, free | receive": the calls of each CPU. */
export function textOf(program: Program): string {
  return program.map((calls) => calls.map(({ name }) => name).join(", ")).join(" | ");
}

/** Writes a finding, unless the folder has one of the same program and oracle. Returns the file's path. */
export function writeFinding(folder: string, finding: Finding): string {
  mkdirSync(folder, { recursive: true });
  for (const path of findingsIn(folder)) {
    const { scenario, program, oracle } = readFinding(path);
    if (scenario === finding.scenario && program === finding.program && oracle === finding.oracle)
      return path;
  }
  for (let n = 1; ; n++) {
    const path = join(folder, `${finding.scenario}-${finding.oracle}-${n}.json`);
    if (tryWrite(path, `${JSON.stringify(finding, null, 2)}\n`)) return path;
  }
}

/** False if there is such a file. */
function tryWrite(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === "EEXIST") return false;
    throw error;
  }
}

/** The files of findings in a folder, if there is one. */
export function findingsIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(".json"))
      .sort()
      .map((name) => join(folder, name));
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return [];
    throw error;
  }
}

export function readFinding(path: string): Finding {
  return JSON.parse(readFileSync(path, "utf8"));
}

/** Searches the program of a finding: first the schedule that failed, then as its scenario does. */
export function searchAgain(library: Library, finding: Finding): Violation | undefined {
  const scenario = SCENARIOS.find(({ name }) => name === finding.scenario);
  if (scenario === undefined)
    throw new Error(`there is no scenario "${finding.scenario}" any more: give the finding another one`);
  const ready = scenario.prepare(library);
  const index = indexOf(ready, finding, scenario);
  const machine = newMachine(scenario, ready.prepared);
  const program = ready.program(index);
  const schedule = new Replay(deviationsOf(finding));
  return (
    execute(machine, program, schedule) ??
    search(machine, program, longer(scenario.search), index + 1, () => true).violation
  );
}

function indexOf(ready: Ready, finding: Finding, scenario: Scenario): number {
  for (let index = 0; index < ready.programs; index++) {
    if (textOf(ready.program(index)) === finding.program) return index;
  }
  throw new Error(
    `scenario "${scenario.name}" has no program "${finding.program}" any more: give the finding another one`,
  );
}

function deviationsOf({ token }: Finding): readonly Deviation[] {
  return decodeToken(token).deviations;
}

function longer(how: Search): Search {
  return "schedules" in how ? { ...how, schedules: SAMPLES } : how;
}
