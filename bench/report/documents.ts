/** What documents quote: text between two marks, which only this writes. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Run } from "../results.ts";
import { type Drawing, drawingsOf } from "./charts.ts";
import { nodesTable, summaryOf } from "./summary.ts";
import { runTables, whereOf } from "./tables.ts";

const NOTHING = "Nothing is saved yet.";

/** A block of a document, and what stands there. `folder` is where the document finds the results. */
interface Block {
  readonly name: string;
  render(runs: readonly Run[], folder: string): string;
}

const BLOCKS: readonly Block[] = [
  { name: "summary", render: renderSummary },
  { name: "report", render: renderReport },
];

/** With the folder of results as seen from there. */
export const DOCUMENTS = [
  { path: "README.md", folder: "bench/results" },
  { path: "bench/README.md", folder: "results" },
] as const;

/** The machine that most was measured on, the newest results first. */
function renderSummary(runs: readonly Run[], folder: string): string {
  const count = (run: Run) => Object.keys(run.runs).length;
  const [best] = runs.toSorted((a, b) => count(b) - count(a) || b.date.localeCompare(a.date));
  if (best === undefined) return NOTHING;
  const charts = drawingsOf(best).filter(({ name }) => name.includes("throughput"));
  const beside = nodesTable(onMachineOf(best, runs));
  return sections([[`${whereOf(best)}.`], summaryOf(best), beside, ...imagesOf(charts, folder)]);
}

/** The oldest Node first. */
function onMachineOf({ machine: { cpu, threads } }: Run, runs: readonly Run[]): Run[] {
  const major = ({ node }: Run) => Number.parseInt(node.slice(1), 10);
  return runs
    .filter(({ machine }) => machine.cpu === cpu && machine.threads === threads)
    .toSorted((a, b) => major(a) - major(b));
}

/** Everything, of all machines. */
export function renderReport(runs: readonly Run[], folder: string): string {
  if (runs.length === 0) return NOTHING;
  return sections(
    runs.flatMap((run) => {
      const [where, ...tables] = runTables(run);
      return [where, summaryOf(run), ...tables, ...imagesOf(drawingsOf(run), folder)];
    }),
  );
}

function imagesOf(drawings: readonly Drawing[], folder: string): string[][] {
  return drawings.map(({ name, chart }) => [`![${chart.title}](${folder}/${name})`]);
}

function sections(parts: readonly (readonly string[])[]): string {
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n");
}

/** A document with its blocks as the runs have them. */
export function rewritten(text: string, runs: readonly Run[], folder: string): string {
  return BLOCKS.reduce((now, { name, render }) => {
    const [begin, end] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
    const [from, to] = [now.indexOf(begin), now.indexOf(end)];
    if (from < 0 && to < 0) return now;
    if (from < 0 || to < from) throw new Error(`${begin} and ${end} do not go together`);
    return `${now.slice(0, from + begin.length)}\n${render(runs, folder)}\n${now.slice(to)}`;
  }, text);
}

/** Where a document is: sources, seen from the build. */
export function pathOfDocument(path: string): string {
  return fileURLToPath(new URL(`../../../${path}`, import.meta.url));
}

/** Returns the documents that are other now. */
export function writeDocuments(runs: readonly Run[]): string[] {
  return DOCUMENTS.filter(({ path, folder }) => {
    const file = pathOfDocument(path);
    const old = readFileSync(file, "utf8");
    const now = rewritten(old, runs, folder);
    if (now !== old) writeFileSync(file, now);
    return now !== old;
  }).map(({ path }) => path);
}
