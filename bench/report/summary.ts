/** Who takes how long for what, and what we lose. */
import { type Entries, type Entry, NO_ALLOCATOR, OURS, subjectName, type Workloads } from "../entries.ts";
import { hasFallen, keptOf, SCALE_CONTROL } from "../parallel/scale.ts";
import type { Run } from "../results.ts";
import { table } from "../table.ts";
import { GOALS, GOALS_OF, REFERENCE_NS, TIMES_OTHERS } from "./goals.ts";
import { ns } from "./tables.ts";

const OWN = [OURS, "MemCache", "kmalloc"];
const NOT_PEERS = [...OWN, NO_ALLOCATOR];

/** Allocators by workloads, as Markdown. None if no such workload was measured. */
export function summaryOf(run: Run): string[] {
  const columns = Object.keys(GOALS).filter((name) => run.workloads[name] !== undefined);
  if (columns.length === 0) return [];
  const subjects = subjectsOf(run.workloads, columns);
  const [ours, ...others] = subjects.map((subject) => row(run.workloads, columns, subject));
  const goal = ["*goal*", ...columns.map((name) => `*${GOALS[name]}*`)];
  const reference = ["reference", ...columns.map((name) => referenceOf(run.workloads[name]))];
  const heads = ["ns per operation", ...columns.map((name) => `\`${name}\``)];
  const marks = ["---", ...columns.map(() => "--:")];
  return [
    `In parentheses: how many times the goal for \`MemAlloc\`, set on a machine whose reference takes ${REFERENCE_NS} ns.`,
    "",
    ...table(heads, marks, [ours, goal, ...others, reference]),
    "",
    ...lossLines(run),
  ];
}

/** The same machine's runs on several versions of Node, beside each other. None if there is one only. */
export function nodesTable(runs: readonly Run[]): string[] {
  const names = Object.keys(GOALS);
  const able = runs.filter(({ workloads }) => names.some((name) => workloads[name]));
  if (able.length < 2) return [];
  const columns = names.filter((name) => able.some(({ workloads }) => workloads[name]));
  const rows = [OURS, "MemCache"].flatMap((subject) =>
    able.map(({ node, date, workloads }) => {
      const entries = columns.map((name) => workloads[name]?.[subject]);
      const where = [node.replace("v", ""), date.slice(0, 10)];
      return [`\`${subjectName(subject)}\``, ...where, ...entries.map(besideReference)];
    }),
  );
  const heads = ["ns per operation", "Node", "date", ...columns.map((name) => `\`${name}\``)];
  const marks = ["---", "---", "---", ...columns.map(() => "--:")];
  return ["On several Nodes; in parentheses: times the reference.", "", ...table(heads, marks, rows)];
}

function besideReference(entry: Entry | undefined): string {
  if (entry === undefined) return "";
  return ns(entry.median) + (entry.ratio === undefined ? "" : ` (${times(entry.ratio.median)})`);
}

/** In the order in which they first appear; ours first. */
function subjectsOf(workloads: Workloads, columns: readonly string[]): string[] {
  return [...new Set([OURS, ...columns.flatMap((name) => Object.keys(workloads[name]))])];
}

function row(workloads: Workloads, columns: readonly string[], subject: string): string[] {
  const cells = columns.map((name) => {
    const entry = workloads[name][subject];
    if (entry === undefined) return "";
    const text = `${ns(entry.median)} (${times(entry.median / GOALS[name])})`;
    return subject === OURS ? `**${text}**` : text;
  });
  return [OWN.includes(subject) ? `\`${subjectName(subject)}\`` : subject, ...cells];
}

function referenceOf(entries: Entries): string {
  const median = entries[OURS]?.reference?.median;
  return median === undefined ? "" : ns(median);
}

/** What is not as it should be, as a list. */
function lossLines(run: Run): string[] {
  const losses = lossesOf(run);
  if (losses.length === 0) return ["What we lose: of what was measured, nothing."];
  return ["What we lose:", "", ...losses.map((loss) => `- ${loss}`)];
}

export function lossesOf(run: Run): string[] {
  return [...missedGoals(run), ...slowerThan(run), ...missedTargets(run), ...otherLosses(run)];
}

/** Goals in nanoseconds. */
function missedGoals({ workloads }: Run): string[] {
  return Object.entries(GOALS_OF).flatMap(([subject, goals]) => {
    const misses = Object.entries(goals).flatMap(([name, goal]) => {
      const median = workloads[name]?.[subject]?.median ?? 0;
      return median > goal
        ? [`\`${name}\` ${ns(median)} ns, goal ${goal} (${times(median / goal)} times)`]
        : [];
    });
    return misses.length > 0 ? [`\`${subjectName(subject)}\` misses goals: ${misses.join("; ")}`] : [];
  });
}

/** Others that are faster than MemAlloc, or nearly as fast. */
function slowerThan({ workloads }: Run): string[] {
  const found = Object.entries(workloads).flatMap(([name, entries]) => {
    const ours = entries[OURS]?.median;
    if (ours === undefined || GOALS[name] === undefined) return [];
    return Object.entries(entries)
      .filter(([subject, { median }]) => !NOT_PEERS.includes(subject) && median < ours * TIMES_OTHERS)
      .map(([subject, { median }]) => ({ name, subject, share: median / ours }));
  });
  return found.map(({ name, subject, share }) =>
    share < 1
      ? `${subject} is faster on \`${name}\`: \`MemAlloc\` takes ${times(1 / share)} times as long`
      : `on \`${name}\` \`MemAlloc\` is only ${missing(share, TIMES_OTHERS)} times as fast as ${subject}; the goal is ${TIMES_OTHERS}`,
  );
}

/** Targets that are ratios to a reference. */
function missedTargets({ workloads }: Run): string[] {
  return Object.entries(workloads).flatMap(([name, entries]) =>
    Object.entries(entries)
      .filter(([, { met }]) => met === false)
      .map(
        ([subject, { ratio, target }]) =>
          `\`${name}\`, ${subjectName(subject)}: ${missing(ratio?.median ?? 0, target ?? 0)} times the reference, target ${target}`,
      ),
  );
}

/** Of the workloads of several threads, and of memory. */
function otherLosses({ scale, bounded, machine }: Run): string[] {
  const keeps = scale.map(({ workload, subject, points }) => {
    return { workload, subject, kept: keptOf(points, machine.threads) ?? 1 };
  });
  const losses = keeps
    .filter(({ subject, kept }) => subject !== SCALE_CONTROL && hasFallen(kept))
    .map(({ workload, subject, kept }) => {
      const control = keeps.find((each) => each.workload === workload && each.subject === SCALE_CONTROL);
      const beside = control === undefined ? "" : `; that of ${SCALE_CONTROL} to ${percent(control.kept)}`;
      return `\`${workload}\` on more threads than processors: throughput of ${subject} falls to ${percent(kept)}${beside}`;
    });
  if (bounded !== undefined && !bounded.isFlat) losses.push("`bounded`: memory that waits for readers grows");
  return losses;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

/** With as many digits as it takes to see that it is not the target. */
function missing(value: number, target: number): string {
  const digits = [2, 3, 4].find((each) => value.toFixed(each) !== target.toFixed(each)) ?? 5;
  return value.toFixed(digits);
}

function times(value: number): string {
  return value.toFixed(value < 100 ? 2 : 0);
}
