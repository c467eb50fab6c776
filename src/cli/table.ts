/** A report as a table for people, at most 80 columns wide. */
import { faultsOf, type Report } from "./report.ts";
import { formatBytes, formatCount, formatRatio, formatSeconds, formatShare } from "./units.ts";

type Row = readonly [label: string, value: string, note?: string];

const WIDTH = 80;

/** The report, then the broken invariants, then a verdict. */
export function renderTable(report: Report): string {
  const rows = [...speedRows(report), ...faultRows(report), ...memoryRows(report), ...pathRows(report)];
  const lines = [title(report), "", ...align(rows), "", ...report.problems.map((line) => `broken: ${line}`)];
  return `${[...lines, ...hint(report), verdict(report)].join("\n")}\n`;
}

function title(report: Report): string {
  const what = `${report.alloc}, ${plural(report.threads, "worker")}, ${plural(report.repeat, "round")}`;
  const room = WIDTH - what.length - 2;
  const trace = report.trace.length > room ? `...${report.trace.slice(3 - room)}` : report.trace;
  return `${trace}: ${what}`;
}

function speedRows(report: Report): Row[] {
  const left = report.endFrees > 0 ? `incl. ${plural(report.endFrees, "final free")}` : "";
  return [
    ["operations", formatCount(report.operations), left],
    ["seconds", formatSeconds(report.seconds)],
    ["operations per second", formatCount(report.operationsPerSecond)],
  ];
}

function faultRows(report: Report): Row[] {
  return [
    ["failed allocations", formatCount(report.failedAllocations), flag(report.failedAllocations)],
    ["corrupted objects", formatCount(report.corrupted), flag(report.corrupted)],
    ["lost objects", formatCount(report.lost), flag(report.lost)],
  ];
}

function memoryRows(report: Report): Row[] {
  return [
    ["peak requested", formatBytes(report.peakRequestedBytes)],
    ["peak in whole units", formatBytes(report.peakUnitBytes)],
    ["peak held", formatBytes(report.peakHeldBytes), `of a heap of ${formatBytes(report.heapBytes)}`],
    ["held / units", formatRatio(report.heldPerUnit)],
    ["held / requested", formatRatio(report.heldPerRequested)],
  ];
}

function pathRows(report: Report): Row[] {
  const rows: Row[] = [["refills", formatCount(report.refills)]];
  if (report.alloc === "memalloc") rows.push(["trims", formatCount(report.trims)]);
  rows.push(["freed by another thread", formatCount(report.remoteFrees)]);
  if (report.alloc === "memalloc") rows.push(["large, sent to kmalloc", formatCount(report.largeRequests)]);
  const without = report.alloc === "memalloc" ? "needed no refill or trim" : "needed no refill";
  rows.push(["fast path", formatShare(report.fastPathShare), without]);
  return rows;
}

function align(rows: readonly Row[]): string[] {
  const labels = Math.max(...rows.map(([label]) => label.length));
  const values = Math.max(...rows.map(([, value]) => value.length));
  return rows.map(([label, value, note]) => {
    return `  ${label.padEnd(labels)}  ${value.padStart(values)}  ${note ?? ""}`.trimEnd();
  });
}

function hint(report: Report): string[] {
  if (report.failedAllocations === 0) return [];
  const failed = plural(report.failedAllocations, "allocation");
  return [`${failed} failed in a heap of ${formatBytes(report.heapBytes)}; try a larger --heap-bytes.`];
}

function verdict(report: Report): string {
  const faults = faultsOf(report);
  if (faults.length > 0) return `FAILED: ${faults.join(", ")}`;
  return "ok: every object came back whole, the books balance, all invariants hold";
}

function flag(count: number): string {
  return count === 0 ? "" : "<--";
}

function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}
