/** What CPUs share, as people read it. */
import { align, table } from "../table.ts";
import { SHARING, type SharingResult } from "./run.ts";

/** Less than so much per operation is a line that was still on its way when counting began. */
const LISTED = 0.001;

/** For a terminal. */
export function renderSharing(results: readonly SharingResult[]): string {
  return `${[`${SHARING.name}: lines of 64 bytes from one CPU to another, per operation`, ...align(rowsOf(results), [0])].join("\n")}\n`;
}

/** As Markdown. */
export function sharingTables(results: readonly SharingResult[] | undefined): string[][] {
  if (results === undefined || results.length === 0) return [];
  const [names, ...rows] = rowsOf(results);
  return [table(names, ["---", ...names.slice(1).map(() => "--:")], rows)];
}

/** A column for each number of CPUs; under each workload where its lines are, and how many for the sake of another word. */
function rowsOf(results: readonly SharingResult[]): string[][] {
  const counts = [...new Set(results.map(({ cpus }) => cpus))];
  const nameOf = ({ workload, subject }: SharingResult) => `${workload}, ${subject}`;
  const rows = [...new Set(results.map(nameOf))].flatMap((name) => {
    const of = results.filter((result) => nameOf(result) === name);
    return [[name, ...of.map(({ transfers }) => number(transfers)), ""], ...placesOf(of)];
  });
  return [["", ...counts.map((cpus) => `${cpus} CPUs`), "another word"], ...rows];
}

function placesOf(results: readonly SharingResult[]): string[][] {
  const last = results[results.length - 1];
  const names = [...new Set(results.toReversed().flatMap(({ places }) => places.map(({ place }) => place)))];
  const at = ({ places }: SharingResult, name: string) => places.find(({ place }) => place === name);
  const total = (result: SharingResult, name: string) => {
    const found = at(result, name);
    return found === undefined ? 0 : found.reads + found.writes;
  };
  return names
    .filter((name) => results.some((result) => total(result, name) >= LISTED))
    .map((name) => {
      const cells = results.map((result) => number(total(result, name)));
      return [`- ${name}`, ...cells, number(at(last, name)?.apart ?? 0)];
    });
}

function number(value: number): string {
  return value === 0 ? "0" : value.toFixed(3);
}
