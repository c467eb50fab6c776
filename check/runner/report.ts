/** A failing schedule in columns, one for each CPU: what it did, where in the source, and which words changed. */
import type { Machine } from "../engine/machine.ts";
import type { Program } from "../engine/scenario.ts";
import { Trace, type TraceEntry } from "../engine/trace.ts";
import { type Deviation, execute, Replay } from "../strategies/replay.ts";

const COLUMN = 58;
/** The last steps before the failure are shown, and this many at most. */
const MAX_LINES = 200;

/** Executes the schedule once more, and shows it. */
export function report(machine: Machine, program: Program, deviations: readonly Deviation[]): string {
  const trace = new Trace();
  machine.record(trace);
  const violation = execute(machine, program, new Replay(deviations));
  machine.record(undefined);
  const lines = trace.entries.map((entry, step) => `${String(step).padStart(5)}  ${cell(entry)}`);
  const left = lines.length - MAX_LINES;
  const shown = left > 0 ? [`       ... ${left} steps before ...`, ...lines.slice(left)] : lines;
  const head = `       ${machine.cpus.map((cpu) => `CPU ${cpu.id}`.padEnd(COLUMN)).join("")}`;
  const end = violation === undefined ? "the schedule passes" : `${violation.oracle}: ${violation.message}`;
  return [head.trimEnd(), ...shown, `FAIL   ${end}`].join("\n");
}

function cell({ cpu, level, text, stack }: TraceEntry): string {
  const where = placeOf(stack);
  const line = `${"  ".repeat(level)}${where === "" ? "" : `${where} `}${text}`;
  return " ".repeat(cpu * COLUMN) + line;
}

/** file:line function of the first frame that is not the machine's or an accessor's. */
function placeOf(stack: string): string {
  for (const line of stack.split("\n")) {
    if (!line.includes("at ") || /check.engine|node:internal/.test(line)) continue;
    const [, fn, file] = /at (?:(\S+) )?.*?([\w-]+\.[jt]s:\d+)/.exec(line) ?? [];
    return file === undefined ? "" : `${file} ${(fn ?? "").replace(/^.*\./, "")}`;
  }
  return "";
}
