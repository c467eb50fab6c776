/** A failing schedule in columns, one for each CPU: what it did, where in the source, and which words changed. */
import type { Machine } from "../engine/machine.ts";
import type { Program } from "../engine/scenario.ts";
import { Trace, type TraceEntry } from "../engine/trace.ts";
import type { Site } from "../engine/violation.ts";
import { type Deviation, execute, Replay } from "../strategies/replay.ts";

const COLUMN = 58;
const MACHINERY = /check.(engine|runner|strategies|packed|main)|sync.primitive|node:internal/;
/** The last steps before the failure are shown, and this many at most. */
const MAX_LINES = 200;

/** Frames of each stack of a race. */
const MAX_FRAMES = 12;

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
  const end =
    violation === undefined
      ? "       the schedule passes"
      : `FAIL   ${violation.oracle}: ${violation.message}`;
  const stacks = stackLines(violation?.sites ?? []);
  return [head.trimEnd(), ...shown, end, ...stacks].join("\n");
}

function cell({ cpu, level, text, stack }: TraceEntry): string {
  const [where] = framesOf(stack);
  const line = `${"  ".repeat(level)}${where === undefined ? "" : `${where} `}${text}`;
  return " ".repeat(cpu * COLUMN) + line;
}

/** Where both accesses of a race are, each in its CPU's column, innermost first. */
function stackLines(sites: readonly Site[]): string[] {
  const columns: string[][] = [];
  for (const { cpu, what, stack } of sites)
    columns[cpu] = [`${what} at`, ...framesOf(stack).slice(0, MAX_FRAMES)];
  const height = Math.max(0, ...sites.map(({ cpu }) => columns[cpu].length));
  return Array.from({ length: height }, (_, row) => {
    const cells = Array.from(columns, (column) => (column?.[row] ?? "").padEnd(COLUMN));
    return `       ${cells.join("")}`.trimEnd();
  });
}

/** The stack as "file:line function", without the frames of the machine, the accessors and Node. */
function framesOf(stack: string): string[] {
  return stack.split("\n").flatMap((line) => {
    if (!line.includes("at ") || MACHINERY.test(line)) return [];
    const [, fn, file] = /at (?:(\S+) )?.*?([\w-]+\.[jt]s:\d+)/.exec(line) ?? [];
    return file === undefined ? [] : [`${file} ${(fn ?? "").replace(/^.*\./, "")}`];
  });
}
