/**
 * `heap.audit()`: mark, derive, repair. All is found before anything is changed.
 *
 * What a thread that died held in its own variables only (an object between two lists, a chain, claimed pages, a charge)
 * is named nowhere. It is what is left when everything that is in its place has been marked.
 */
import type { System } from "../inspect/index.ts";
import { chainCounts, takenCounts, takenOf } from "./counts.ts";
import { groupCounts } from "./groups.ts";
import { mark } from "./marks.ts";
import { classify } from "./objects.ts";
import { pageCounts, strayPages } from "./pages.ts";
import { checkQuiet } from "./quiet.ts";
import { recordCounts, strayRecords } from "./records.ts";
import type { AuditBooks, AuditReport, Finding, InHand, PageRun } from "./report.ts";
import { slabCounts, straySlabs } from "./slabs.ts";
import { staleTakers } from "./takers.ts";

/** What `audit` takes. */
export interface AuditOptions {
  /** false: looks, and changes nothing. Default true. */
  readonly repair?: boolean;
}

/** All that was found. */
interface Plan {
  readonly books: AuditBooks;
  readonly inHand: readonly (InHand & Mend)[];
  readonly slabs: readonly (PageRun & Mend)[];
  readonly pages: readonly (PageRun & Mend)[];
  readonly records: readonly Finding[];
  readonly corrected: readonly Finding[];
}

interface Mend {
  readonly mend: () => void;
}

/** `poll` runs callbacks that are ready. Task context. Errors, with nothing changed: `bad-context`, `corrupt`. */
export function audit(system: System, { repair = true }: AuditOptions, poll: () => void): AuditReport {
  checkQuiet(system);
  const found = makePlan(system);
  if (!repair) return reportOf(found);
  // what is on its way, and waits for nobody, gets there: that is not in hand
  poll();
  const plan = makePlan(system);
  carryOut(plan);
  return reportOf(plan);
}

function makePlan(system: System): Plan {
  const marks = mark(system);
  const objects = classify(system, marks);
  const taken = takenOf(marks, objects);
  return {
    books: objects.books,
    inHand: objects.inHand,
    slabs: straySlabs(system, marks),
    pages: strayPages(system),
    records: strayRecords(system),
    corrected: [
      ...staleTakers(system),
      ...pageCounts(system),
      ...slabCounts(system, marks),
      ...takenCounts(system, taken),
      ...chainCounts(system, marks),
      ...groupCounts(system, taken),
      ...recordCounts(system),
    ],
  };
}

/** Counts first: what is given back after that counts for itself. Slabs after their objects. */
function carryOut({ inHand, slabs, pages, records, corrected }: Plan): void {
  for (const list of [corrected, inHand, slabs, pages, records]) for (const { mend } of list) mend();
}

function reportOf({ books, inHand, slabs, pages, records, corrected }: Plan): AuditReport {
  const found = [inHand, slabs, pages, records, corrected];
  return {
    isClean: found.every((list) => list.length === 0),
    books,
    inHand: inHand.map(({ p, bytes }) => ({ p, bytes })),
    slabs: slabs.map(runOf),
    pages: pages.map(runOf),
    records: records.map(({ line }) => line),
    corrected: corrected.map(({ line }) => line),
  };
}

function runOf({ p, pages }: PageRun): PageRun {
  return { p, pages };
}
