/** Results of all sizes as people read them: a row for each bucket, a column for each subject. */
import { align, table } from "../table.ts";
import { ALL_SIZES, type AllSizesResult, sum } from "./run.ts";
import { subjectName } from "./subjects.ts";

const TIMES = "ns for each object";
const NULLS = "allocations that returned NULL";

/** For a terminal. */
export function renderAllSizes(results: readonly AllSizesResult[]): string {
  const tables = [`${TIMES}:`, ...align(times(results), []), `${NULLS}:`, ...align(nulls(results), [])];
  return `${[`${ALL_SIZES.name}: ${ALL_SIZES.what}`, ...tables].join("\n")}\n`;
}

/** As Markdown. */
export function allSizesTables(results: readonly AllSizesResult[]): string[][] {
  if (results.length === 0) return [];
  return [
    [`${ALL_SIZES.name}, ${TIMES}:`, "", ...markdown(times(results))],
    [`${ALL_SIZES.name}, ${NULLS}:`, "", ...markdown(nulls(results))],
  ];
}

function times(results: readonly AllSizesResult[]): string[][] {
  return [heads(results), ...rows(results, ({ time }) => time.median.toFixed(1))];
}

/** With a row for all buckets. */
function nulls(results: readonly AllSizesResult[]): string[][] {
  const totals = namesOf(results).map((name) => {
    return share(results.filter((result) => subjectName(result) === name));
  });
  return [heads(results), ...rows(results, (result) => share([result])), ["all", "", ...totals]];
}

function heads(results: readonly AllSizesResult[]): string[] {
  return ["unit", "objects", ...namesOf(results)];
}

function rows(results: readonly AllSizesResult[], cell: (result: AllSizesResult) => string): string[][] {
  const units = [...new Set(results.map(({ unit }) => unit))];
  return units.map((unit) => {
    const row = results.filter((result) => result.unit === unit);
    return [String(unit), String(row[0].objects), ...row.map(cell)];
  });
}

function namesOf(results: readonly AllSizesResult[]): string[] {
  return [...new Set(results.map(subjectName))];
}

/** None is said as such: a share that is rounded might hide a few. */
function share(results: readonly AllSizesResult[]): string {
  const part = sum(results.map(({ nulls }) => nulls));
  const whole = sum(results.map(({ allocations }) => allocations));
  return part === 0 ? `0 of ${(whole / 1e6).toFixed(1)}M` : `${((100 * part) / whole).toFixed(2)}%`;
}

function markdown([names, ...cells]: readonly string[][]): string[] {
  const marks = names.map(() => "--:");
  return table(names, marks, cells);
}
